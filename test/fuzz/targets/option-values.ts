/** Values of single DHCP options: 82 (RFC 3046), 121 (RFC 3442), 90 (RFC 3118). The first byte says which. */
import assert from 'node:assert/strict';
import { decodeClasslessRoutes, encodeClasslessRoutes } from '../../../src/wire/classless-routes.js';
import {
  AuthenticationInformation,
  decodeDhcpAuthentication,
  reconfigureKey,
} from '../../../src/wire/dhcpv4-authentication.js';
import { decodeRelayAgentInformation, encodeRelayAgentInformation } from '../../../src/wire/option82.js';
import { hex } from '../../wire/fixtures/bytes.js';
import { valueOf } from '../value-or-wire-error.js';
import type { FuzzTarget } from '../fuzz-target.js';

function relayAgent(value: Uint8Array): void {
  const information = valueOf(() => decodeRelayAgentInformation(value));
  if (information === null) return;
  valueOf(() => information.linkSelectionAddress);
  valueOf(() => information.serverIdOverrideAddress);
  const named = [1, 2, 5, 10, 11].filter((code) => information.subOptions.has(code));
  if (named.length === 0) return;
  const again = decodeRelayAgentInformation(encodeRelayAgentInformation(information));
  for (const code of named) assert.deepEqual(again.subOptions.get(code), information.subOptions.get(code));
}

function routes(value: Uint8Array): void {
  const found = valueOf(() => decodeClasslessRoutes(value));
  if (found !== null) assert.deepEqual(decodeClasslessRoutes(encodeClasslessRoutes(found)), found);
}

export const target: FuzzTarget = {
  seeds: () => [
    hex('00 0104aabbccdd 020161 0504c0000200 0b04c0000201 0a0180'),
    hex('01 00c0000201 080ac0000201 190ae50080c0000202 200ac67a2fc0000203'),
    new Uint8Array([2, ...reconfigureKey(AuthenticationInformation.Nonce, 7n)]),
  ],
  maxBytes: 600,
  boundedRuns: 15_000,
  run: (input) => {
    const value = input.subarray(1);
    const which = (input[0] ?? 0) % 3;
    if (which === 0) relayAgent(value);
    else if (which === 1) routes(value);
    else valueOf(() => decodeDhcpAuthentication(value));
  },
};
