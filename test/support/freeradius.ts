/** FreeRADIUS on this machine's loopback, on free ports, in a temporary folder. What it is and does: src/lab/radius-server.ts. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeUdpPort } from '../../src/lab/free-udp-port.js';
import type { RadiusServerOptions } from '../../src/lab/radius-server.js';
import { RadiusServer } from '../../src/lab/radius-server.js';

export type { DetailRecord } from '../../src/lab/radius-server.js';
export { hasFreeRadius } from '../../src/lab/radius-server.js';

export type FreeRadiusOptions = Pick<RadiusServerOptions, 'users' | 'secret' | 'messageAuthenticator'>;

const LOOPBACK = '127.0.0.1';

export class FreeRadius {
  /** Starts a server and waits until it answers. */
  static async start(options: FreeRadiusOptions): Promise<RadiusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'bng-freeradius-'));
    const [authPort, acctPort] = [await freeUdpPort(LOOPBACK), await freeUdpPort(LOOPBACK)];
    return RadiusServer.start({ ...options, folder, address: LOOPBACK, authPort, acctPort });
  }
}
