/** Processes that hold a dataplane, and a flow through it that counts what comes back. Asserts nothing. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { patience } from '../../src/lab/patience.js';
import type { HolderOrder } from './dataplane-holder-main.js';
import type { HolderSettings } from './dataplane-holder-options.js';

const PROGRAM = fileURLToPath(new URL('./dataplane-holder-main.js', import.meta.url));
const OPEN_MS = 15_000 * patience;

export class Holder {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when the dataplane is open; `program` is of another build where that is the point. */
  static async start(settings: HolderSettings, program = PROGRAM): Promise<Holder> {
    const child = fork(program, [JSON.stringify(settings)], { serialization: 'advanced', execArgv: [] });
    const holder = new Holder(child);
    await holder.#answer();
    return holder;
  }

  async ask<T>(order: HolderOrder): Promise<T> {
    const answer = this.#answer();
    this.#child.send(order);
    return (await answer) as T;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit');
    await this.ask({ verb: 'close' });
    await gone;
  }

  async #answer(): Promise<unknown> {
    const signal = AbortSignal.timeout(OPEN_MS);
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('the holder ended');
    });
    const [message] = (await Promise.race([once(this.#child, 'message', { signal }), ended])) as [
      { readonly answer: unknown },
    ];
    ended.catch(() => undefined);
    return message.answer;
  }
}

export interface FlowResult {
  readonly sent: number;
  readonly returned: number;
  readonly tcpSent: number;
  readonly tcpReturned: number;
}

const ECHO = `const net = require('net'), dgram = require('dgram');
  const udp = dgram.createSocket('udp4'); udp.on('message', (m, r) => udp.send(m, r.port, r.address));
  udp.bind(7000, () => udp.setRecvBufferSize(4 << 20));
  net.createServer((s) => { s.on('error', () => {}); s.pipe(s); }).listen(7000, '0.0.0.0', () => console.log('up'));`;

/** A server that sends back what it gets, over UDP and TCP, port 7000. */
export async function startEcho(namespace: string): Promise<ChildProcess> {
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', ECHO], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

const FLOW = (address: string): string => `const net = require('net'), dgram = require('dgram');
  let sent = 0, tcpSent = 0, tcpReturned = 0, stopping = false; const back = new Set();
  const udp = dgram.createSocket('udp4'); udp.on('message', (m) => back.add(m.readUInt32BE(0)));
  const tcp = net.connect(7000, '${address}', () => { console.log('up'); tick(); });
  tcp.on('data', (d) => { tcpReturned += d.length; });
  const done = () => { console.log(JSON.stringify({ sent, returned: back.size, tcpSent, tcpReturned })); process.exit(); };
  function tick() {
    if (stopping) {
      const end = Date.now() + ${2000 * patience};
      const wait = () => (back.size === sent && tcpReturned === tcpSent) || Date.now() > end ? done() : setTimeout(wait, 5);
      return wait();
    }
    // No more on the way than the sockets at both ends hold, however late a starved one is read.
    if (sent - back.size < 200) { const m = Buffer.alloc(100); m.writeUInt32BE(sent++, 0); udp.send(m, 7000, '${address}'); }
    tcp.write(Buffer.alloc(200)); tcpSent += 200;
    setTimeout(tick, 1);
  }
  process.stdin.once('data', () => { stopping = true; });`;

/** Numbered datagrams and a TCP stream to the echo server, one of each a millisecond, until stopped. */
export class Flow {
  static readonly #running = new Set<ChildProcess>();
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(namespace: string, address: string): Promise<Flow> {
    const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', FLOW(address)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    Flow.#running.add(child);
    await once(child.stdout, 'data');
    return new Flow(child);
  }

  /** Ends those that a failed test left. */
  static endAll(): void {
    for (const child of Flow.#running) child.kill();
    Flow.#running.clear();
  }

  async stop(): Promise<FlowResult> {
    let said = '';
    this.#child.stdout?.on('data', (text: Buffer) => (said += text.toString()));
    const gone = once(this.#child, 'exit');
    this.#child.stdin?.write('stop\n');
    await gone;
    Flow.#running.delete(this.#child);
    return JSON.parse(said) as FlowResult;
  }
}
