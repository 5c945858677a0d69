/** From what an operator types to a session: ONT serial, address, MAC, circuit-id or session id, in this order. */
import { isIPv4 } from 'node:net';
import { parseIpv4 } from '../model/ipv4.js';
import { parseMac } from '../model/mac.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { SessionView } from '../session/view.js';

const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** Null when nothing of all that matches. Circuit-ids are text, or hexadecimal with `0x` before it. */
export function findSession(operator: OperatorInlet, key: string): SessionView | null {
  return (
    operator.sessionByOnt(key) ??
    (isIPv4(key) ? operator.sessionByAddress(parseIpv4(key)) : null) ??
    (MAC.test(key) ? operator.sessionByMac(parseMac(key.toLowerCase())) : null) ??
    operator.sessionById(key) ??
    operator.sessionByCircuitId(circuitBytes(key))
  );
}

function circuitBytes(key: string): Uint8Array {
  return /^0x([0-9a-f]{2})+$/i.test(key) ? Buffer.from(key.slice(2), 'hex') : Buffer.from(key, 'latin1');
}

export const sessionKeySchema = {
  type: 'string',
  pattern: '^[ -~]{1,255}$',
  description: 'an ONT serial, an IPv4 address, a MAC address, a session id or a circuit-id',
} as const;
