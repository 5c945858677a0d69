/** What a customer's DHCP client sends, seen at its own interface: to whom, from which address. Decodes with tcpdump. */
import { join } from 'node:path';
import { Child } from '../../src/lab/exec.js';
import type { Lab } from '../../src/lab/lab.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { until } from './lab-house.js';

export interface SentDhcp {
  readonly message: string;
  readonly source: string;
  readonly destination: string;
}

export class DhcpWatch {
  readonly #child: Child;
  readonly #sent: SentDhcp[] = [];
  #addresses: { source: string; destination: string } | null = null;
  #listening = false;

  private constructor(host: OntHost, lab: Lab) {
    // -v, so that the message type is printed, on a line of its own below the addresses.
    const filter = 'udp dst port 67';
    const logFile = join(lab.paths.directory, `${host.uniInterface}-watch.log`);
    this.#child = new Child(['sh', '-c', `exec tcpdump -i eth0 --immediate-mode -nn -l -v ${filter} 2>&1`], {
      namespace: host.namespace,
      logFile,
      onStdoutLine: (line) => this.#take(line),
    });
  }

  /** Resolves when nothing escapes it any more. It ends with the ONT's namespace. */
  static async open(host: OntHost, lab: Lab): Promise<DhcpWatch> {
    const watch = new DhcpWatch(host, lab);
    await until('tcpdump listens', 10_000, () => (watch.#listening ? true : null));
    return watch;
  }

  get sent(): readonly SentDhcp[] {
    return this.#sent;
  }

  async close(): Promise<void> {
    await this.#child.stop('SIGKILL');
  }

  #take(line: string): void {
    if (line.includes('listening on')) this.#listening = true;
    const addresses = /^\s+([0-9.]+)\.68 > ([0-9.]+)\.67: BOOTP/.exec(line);
    if (addresses !== null) {
      this.#addresses = { source: addresses[1] ?? '', destination: addresses[2] ?? '' };
      return;
    }
    const message = /DHCP-Message(?: \(53\))?(?: Option 53)?, length 1: (\S+)/.exec(line)?.[1];
    if (message === undefined || this.#addresses === null) return;
    this.#sent.push({ message, ...this.#addresses });
    this.#addresses = null;
  }
}
