/** Where bngctl writes, and the few ways it paints text. Text from the network is made harmless here. */

export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Columns that lines must fit into; null when not a terminal, where nothing is shortened. */
  readonly width: number | null;
  readonly colour: boolean;
}

const STYLES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;
export type Style = keyof typeof STYLES;

/** Paints text where the terminal has colours. */
export function paint(terminal: Pick<Terminal, 'colour'>, style: Style | null, text: string): string {
  return terminal.colour && style !== null ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
}

/** Replaces control characters: an ONT serial must not be able to steer the operator's terminal. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
