/** A RADIUS client with its peers, for one test: everything is closed when the test ends. */
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { RadiusClientOptions } from '../../src/aaa/radius-client.js';
import { RadiusClient } from '../../src/aaa/radius-client.js';
import type { RadiusNotice } from '../../src/aaa/radius-link.js';
import type { RadiusRequest } from '../../src/aaa/radius-request.js';
import { RadiusAttributesBuilder } from '../../src/wire/radius-attributes-builder.js';
import { Attribute } from '../../src/wire/radius-dictionary.js';
import { RadiusSecret } from '../../src/wire/radius-secret.js';
import { ManualClock } from '../support/manual-clock.js';
import type { PeerScript } from '../support/radius-peer.js';
import { RadiusPeer } from '../support/radius-peer.js';

export const SECRET = 'a shared secret';
export const ACCEPT: PeerScript = (request, peer) => peer.answer(request, { code: 2 });
export const SILENT: PeerScript = () => undefined;

export interface Rig {
  readonly client: RadiusClient;
  readonly clock: ManualClock;
  readonly notices: RadiusNotice[];
  readonly peers: readonly RadiusPeer[];
}

/** One peer for each script, as servers `s0`, `s1` and so on, in this order. */
export async function rig(
  t: TestContext,
  scripts: readonly PeerScript[],
  options: Partial<RadiusClientOptions> & { readonly requireMessageAuthenticator?: boolean } = {},
): Promise<Rig> {
  const clock = new ManualClock();
  const notices: RadiusNotice[] = [];
  const peers = await Promise.all(scripts.map((script) => RadiusPeer.start({ secret: SECRET, script })));
  const client = new RadiusClient({
    servers: peers.map(({ port }, index) => ({
      name: `s${index}`,
      host: '127.0.0.1',
      port,
      secret: new RadiusSecret(SECRET),
      requireMessageAuthenticator: options.requireMessageAuthenticator ?? true,
    })),
    clock,
    notice: (notice) => notices.push(notice),
    // No jitter: 0.9 + 0.2 / 2.
    random: () => 0.5,
    ...options,
  });
  t.after(async () => {
    client.close();
    await Promise.all(peers.map((peer) => peer.close()));
  });
  return { client, clock, notices, peers };
}

export function access(userName = 'ont-1', more: { readonly deadlineMs?: number } = {}): RadiusRequest {
  const attributes = new RadiusAttributesBuilder().add(Attribute.UserName, userName).build();
  return { kind: 'access', attributes, password: new Uint8Array(), ...more };
}

/** Waits until `isTrue`, at most 5 s. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + 5_000;
  while (!isTrue()) {
    if (performance.now() > endMs) throw new Error(`waited 5 s for: ${what}`);
    await delay(1);
  }
}
