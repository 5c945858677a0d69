/** iperf3 between a subscriber's equipment and the far host: streams at a time of one's own, results as numbers. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { exec } from '../../src/lab/exec.js';
import { FAR_ADDRESS } from './far-host.js';

const resultSchema = z.object({
  error: z.string().optional(),
  end: z.object({ sum_received: z.object({ bits_per_second: z.number() }).optional() }),
});

/**
 * Ahead of what else keeps the machine busy: a sender that waits for a processor is not held back by a policer. UDP
 * senders never wait, and at a real-time priority would leave the kernel's own threads nothing.
 */
function urgent(words: readonly string[]): readonly string[] {
  return words.includes('-u') ? ['nice', '-n', '-15'] : ['chrt', '--fifo', '1'];
}

export interface IperfOptions {
  readonly server: string;
  readonly client: string;
  readonly port: number;
  readonly direction: 'up' | 'down';
  /** Further words of iperf3's client: protocol, time, rate. */
  readonly words: readonly string[];
}

/** Runs one stream to its end and gives what its receiver got of payload, bits a second. */
export async function iperf({ server, client, port, direction, words }: IperfOptions): Promise<number> {
  const common = ['-p', String(port), '--forceflush'];
  const child = spawn(
    'nsenter',
    [
      `--net=/run/netns/${server}`,
      'setpriv',
      '--pdeathsig',
      'KILL',
      ...urgent(words),
      'iperf3',
      '-s',
      '-1',
      '-B',
      FAR_ADDRESS,
      ...common,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`iperf3 -s ended with ${code}`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('listening')) resolve();
      });
    });
    const { stdout, stderr } = await exec(
      ['iperf3', '-c', FAR_ADDRESS, ...common, '-J', ...(direction === 'down' ? ['-R'] : []), ...words],
      { namespace: client, timeoutMs: 30_000 },
    );
    const result = resultSchema.parse(JSON.parse(stdout));
    const received = result.end.sum_received;
    if (received === undefined) throw new Error(`iperf3: ${result.error ?? stderr}`);
    return received.bits_per_second;
  } finally {
    child.kill('SIGKILL');
  }
}
