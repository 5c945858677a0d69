/**
 * The one error class of the project and its table of stable codes. Callers test `code`, never the text.
 * Holds no logging and knows no protocol.
 */

export type BngErrorCode =
  | 'BNG_ERR_CONFIG'
  | 'BNG_ERR_VALUE'
  | 'BNG_ERR_WIRE_TRUNCATED'
  | 'BNG_ERR_WIRE_MALFORMED'
  | 'BNG_ERR_WIRE_UNSUPPORTED'
  | 'BNG_ERR_WIRE_CHECKSUM'
  | 'BNG_ERR_NATIVE'
  | 'BNG_ERR_ABI_MISMATCH'
  | 'BNG_ERR_DATAPLANE'
  | 'BNG_ERR_NFT'
  | 'BNG_ERR_COMMAND'
  | 'BNG_ERR_OLT'
  | 'BNG_ERR_LAB'
  | 'BNG_ERR_DEADLINE'
  | 'BNG_ERR_STORE'
  | 'BNG_ERR_CLOSED';

export type BngErrorContext = Readonly<Record<string, string | number | boolean | bigint | null>>;

/** Carries a stable `code`, the values that explain it, and the cause; the message ends in `[key:value]` pairs. */
export class BngError extends Error {
  readonly code: BngErrorCode;
  readonly context: BngErrorContext;

  constructor(code: BngErrorCode, message: string, context: BngErrorContext = {}, cause?: unknown) {
    const pairs = Object.entries(context).map(([key, value]) => `[${key}:${String(value)}]`);
    super([message, ...pairs].join(' '), cause === undefined ? undefined : { cause });
    this.name = 'BngError';
    this.code = code;
    this.context = context;
  }
}

/** True for a `BngError` whose code is one of `codes`, or any `BngError` when none is given. */
export function isBngError(error: unknown, ...codes: BngErrorCode[]): error is BngError {
  return error instanceof BngError && (codes.length === 0 || codes.includes(error.code));
}

/** What a thrown thing says, whoever threw it. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** True for an error that a decoder throws on bad bytes from the network. */
export function isWireError(error: unknown): error is BngError {
  return error instanceof BngError && error.code.startsWith('BNG_ERR_WIRE_');
}
