/** How a User-Name is made of what is known of a subscriber. Text only. */
import { BngError } from '../model/bng-error.js';
import type { Mac } from '../model/mac.js';
import { formatMac } from '../model/mac.js';
import type { AuthenticationRequest } from './port.js';

/** Null when something that the format asks for is not known. */
export type UserNameFormat = (request: AuthenticationRequest) => string | null;

/** Upper case with dashes, as RFC 3580 §3.21 has Calling-Station-Id. */
export function macText(mac: Mac): string {
  return formatMac(mac).toUpperCase().replaceAll(':', '-');
}

/**
 * Printable ASCII with blanks, as circuit-ids have them (TR-101 §3.9.3), stays as it is. Anything else becomes `0x` and
 * hexadecimal, and so does text that begins like it: no two identifiers look the same.
 */
function opaqueText(bytes: Uint8Array | undefined): string | null {
  if (bytes === undefined || bytes.length === 0) return null;
  const text = Buffer.from(bytes).toString('latin1');
  return /^(?!0x)[\x20-\x7e]+$/.test(text) ? text : `0x${Buffer.from(bytes).toString('hex')}`;
}

const SOURCES: ReadonlyMap<string, UserNameFormat> = new Map<string, UserNameFormat>([
  ['ont-serial', ({ ontSerial }) => ontSerial],
  ['circuit-id', ({ line, announced }) => opaqueText(line?.circuitId ?? announced?.circuitId)],
  ['remote-id', ({ line, announced }) => opaqueText(line?.remoteId ?? announced?.remoteId)],
  [
    'mac',
    ({ line, announced }) => {
      const mac = line?.mac ?? announced?.mac;
      return mac === undefined ? null : macText(mac);
    },
  ],
]);

/**
 * `ont-serial`, `circuit-id`, `remote-id`, `mac`, or a template that names these in braces: `{remote-id}@isp`. A template
 * without any, or with another name, is `BNG_ERR_VALUE`.
 */
export function parseUserNameFormat(text: string): UserNameFormat {
  const whole = SOURCES.get(text);
  if (whole !== undefined) return whole;
  // Every second piece is what stood in braces.
  const pieces = text.split(/\{([^{}]*)\}/);
  const makers = pieces.map((piece, index): UserNameFormat | undefined =>
    index % 2 === 0 ? (/[{}]/.test(piece) ? undefined : () => piece) : SOURCES.get(piece),
  );
  if (pieces.length === 1 || makers.includes(undefined)) {
    throw new BngError(
      'BNG_ERR_VALUE',
      `expected ${[...SOURCES.keys()].join(', ')}, or a template with one of them in braces`,
      { found: text },
    );
  }
  return (request) => {
    const made = makers.map((maker) => maker?.(request) ?? null);
    return made.includes(null) ? null : made.join('');
  };
}
