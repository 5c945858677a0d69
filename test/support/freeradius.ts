/** FreeRADIUS on this machine's loopback, on free ports, in a temporary folder. What it is and does: src/lab/radius-server.ts. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RadiusServerOptions } from '../../src/lab/radius-server.js';
import { RadiusServer } from '../../src/lab/radius-server.js';

export type { DetailRecord } from '../../src/lab/radius-server.js';
export { hasFreeRadius } from '../../src/lab/radius-server.js';

export type FreeRadiusOptions = Pick<RadiusServerOptions, 'users' | 'secret' | 'messageAuthenticator'>;

const LOOPBACK = '127.0.0.1';

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

export class FreeRadius {
  /** Starts a server and waits until it answers. */
  static async start(options: FreeRadiusOptions): Promise<RadiusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'bng-freeradius-'));
    const [authPort, acctPort] = [await freePort(), await freePort()];
    return RadiusServer.start({ ...options, folder, address: LOOPBACK, authPort, acctPort });
  }
}
