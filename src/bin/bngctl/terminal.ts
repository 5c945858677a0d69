/** Where bngctl writes, and the few ways it paints text. Text from the network is made harmless here. */

export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Columns that lines must fit into; null when not a terminal, where nothing is shortened. */
  readonly width: number | null;
  readonly colour: boolean;
  /** Whether the screen can be cleared for the next picture. */
  readonly isScreen: boolean;
}

const STYLES = { red: 31, green: 32, yellow: 33, cyan: 36, dim: 2, bold: 1 } as const;
export type Style = keyof typeof STYLES;

const CLEAR_SCREEN = '\u001b[H\u001b[2J\u001b[3J';

/** Paints text where the terminal has colours. */
export function paint(terminal: Pick<Terminal, 'colour'>, style: Style | null, text: string): string {
  return terminal.colour && style !== null ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
}

/** Replaces control characters: an ONT serial must not be able to steer the operator's terminal. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}

/** Shows a picture in place of the one before; where there is no screen, after it. */
export function showPicture(terminal: Terminal, lines: readonly string[]): void {
  if (terminal.isScreen) terminal.out(`${CLEAR_SCREEN}${lines.join('\n')}`);
  else for (const line of lines) terminal.out(line);
}
