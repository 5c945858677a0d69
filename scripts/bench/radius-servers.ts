/** Whom the RADIUS benches ask, on loopback: the fake peer in a process of its own, and FreeRADIUS where it is installed. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Child } from '../../src/lab/exec.js';
import { freeUdpPort } from '../../src/lab/free-udp-port.js';
import { RadiusServer } from '../../src/lab/radius-server.js';
import { BngError } from '../../src/model/bng-error.js';
import { BENCH_SECRET, BENCH_USER, LOOPBACK } from './radius-fixtures.js';

const READY_MS = 20_000;

const portsSchema = z.strictObject({ authPort: z.int(), acctPort: z.int() });

export interface BenchServer {
  readonly name: string;
  readonly authPort: number;
  readonly acctPort: number;
  close(): Promise<void>;
}

/** Logs into `folder`. Throws `BNG_ERR_LAB` when it does not start. */
export async function startFakePeer(folder: string): Promise<BenchServer> {
  const program = fileURLToPath(new URL('radius-peer-main.js', import.meta.url));
  const logFile = join(folder, 'peer.log');
  const started: { child: Child | null; timer: NodeJS.Timeout | null } = { child: null, timer: null };
  try {
    const line = await new Promise<string | null>((resolve) => {
      const child = new Child([process.execPath, program], {
        logFile,
        onStdoutLine: resolve,
        onExit: () => resolve(null),
      });
      started.child = child;
      started.timer = setTimeout(() => resolve(null), READY_MS);
    });
    if (line === null) throw new BngError('BNG_ERR_LAB', 'expected the fake peer to start', { log: logFile });
    const ports = portsSchema.parse(JSON.parse(line));
    return { name: 'fake peer', ...ports, close: async () => started.child?.stop('SIGKILL') };
  } catch (error) {
    await started.child?.stop('SIGKILL');
    throw error;
  } finally {
    if (started.timer !== null) clearTimeout(started.timer);
  }
}

/** Its detail logs stay in `folder` until it is closed. Throws `BNG_ERR_LAB` when it does not start. */
export async function startFreeRadius(folder: string): Promise<BenchServer> {
  const server = await RadiusServer.start({
    folder: join(folder, 'freeradius'),
    address: LOOPBACK,
    authPort: await freeUdpPort(LOOPBACK),
    acctPort: await freeUdpPort(LOOPBACK),
    secret: BENCH_SECRET,
    users: `${BENCH_USER} Auth-Type := Accept\n\tFramed-Pool = "isp1", Session-Timeout = 86400, Class = 0x62656e6368`,
  });
  const { authPort, acctPort } = server;
  return { name: 'FreeRADIUS', authPort, acctPort, close: () => server.close() };
}
