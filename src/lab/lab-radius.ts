/**
 * AAA servers in the lab's core, reached from the BNG over the core link, and the sections of bng.yaml that make the BNG use
 * them. Says nothing about who is accepted.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CORE_ADDRESSES } from './core-network.js';
import type { Lab } from './lab.js';
import type { ConfigChanges } from './lab-bng.js';
import type { RadiusServerOptions } from './radius-server.js';
import { RadiusServer } from './radius-server.js';

export type LabRadiusOptions = Pick<RadiusServerOptions, 'users' | 'messageAuthenticator'>;

export const LAB_RADIUS_SECRET = 'a-secret-of-the-lab';
export const LAB_NAS_IDENTIFIER = 'bng-lab';
/** Where the BNG takes the server's orders. */
export const LAB_COA_PORT = 3799;
const FIRST_PORT = 1812;

/** Starts the `n`-th server of the lab, from 1, in the core's namespace; it ends with the lab. */
export async function startLabRadius(lab: Lab, options: LabRadiusOptions, n = 1): Promise<RadiusServer> {
  const authPort = FIRST_PORT + 100 * (n - 1);
  const server = await RadiusServer.start({
    ...options,
    namespace: lab.namespaces.core,
    folder: join(lab.paths.directory, `radius${n}`),
    address: CORE_ADDRESSES.router,
    authPort,
    acctPort: authPort + 1,
    secret: LAB_RADIUS_SECRET,
  });
  lab.onClose(() => server.kill());
  return server;
}

/** Authentication, accounting and orders by `servers`, in their order; short timers, as nothing is far away here. */
export function radiusConfig(
  lab: Lab,
  servers: readonly RadiusServer[],
  changes: { readonly auth?: ConfigChanges; readonly radius?: ConfigChanges } = {},
): ConfigChanges {
  const secretFile = join(lab.paths.directory, 'radius.secret');
  writeFileSync(secretFile, `${LAB_RADIUS_SECRET}\n`, { mode: 0o600 });
  return {
    auth: { mode: 'radius', defaultPool: 'wgar', ...changes.auth },
    radius: {
      servers: servers.map(({ address, authPort, acctPort }) => ({
        host: address,
        authPort,
        acctPort,
        secretFile,
      })),
      nasIdentifier: LAB_NAS_IDENTIFIER,
      timers: {
        initialRetransmit: '300ms',
        maxRetransmit: '600ms',
        tries: 3,
        deadline: '2s',
        failoverAfter: 2,
        deadTime: '2s',
      },
      coa: {
        listen: `${CORE_ADDRESSES.bng}:${LAB_COA_PORT}`,
        clients: [{ host: CORE_ADDRESSES.router, secretFile, allow: ['coa', 'disconnect'] }],
      },
      ...changes.radius,
    },
    store: { path: join(lab.paths.directory, 'store') },
  };
}
