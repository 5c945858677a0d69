/**
 * One persistent `nft -i` child and acknowledged transactions through it. Knows no table and no set.
 *
 * nft says nothing when a transaction succeeds, so each is followed by a line that cannot parse: what stands on stderr
 * before the complaint about that line belongs to the transaction, and nothing there means success.
 */
import { execa } from 'execa';
import type { Clock, TimerHandle } from '../model/clock.js';

export type NftOutcome = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface NftChildOptions {
  readonly clock: Clock;
  /** Longest wait for one transaction, a child's first apart; past it the child is killed and restarted. */
  readonly deadlineMs: number;
  /**
   * Called when a working child died: what was in flight was refused, but may have happened. The next change starts a
   * new child.
   */
  readonly onRestart: (reason: string) => void;
  readonly command?: readonly [string, ...string[]];
}

type NftProcess = ReturnType<typeof spawnNft>;

interface Change {
  readonly text: string;
  readonly settle: (outcome: NftOutcome) => void;
}

interface InFlight {
  readonly sentinel: string;
  readonly settle: (outcome: NftOutcome) => void;
  readonly deadline: TimerHandle;
}

/** One line goes through a line editor; more changes than this make more than one transaction. */
const CHANGES_PER_TRANSACTION = 5000;
const REASON_CHARACTERS = 300;
/** So many times longer a child's first transaction may take: after a boot it makes the kernel load half a dozen modules. */
const FIRST_TIMES = 6;

export class NftChild {
  readonly #options: NftChildOptions;
  #child: NftProcess | null = null;
  #acknowledged = false;
  #waiting: Change[] = [];
  #pumping = false;
  #closed = false;
  #inFlight: InFlight | null = null;
  #errors = '';
  #counter = 0;

  constructor(options: NftChildOptions) {
    this.#options = options;
  }

  /** The child's process id; null while there is none. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Commands joined by `; `, without line breaks, applied together or not at all. Changes asked for in one turn of the
   * event loop, or while a transaction is under way, share the next transaction; when that fails it is halved until
   * the failing change is found, so that only the one to blame is refused.
   */
  change(text: string): Promise<NftOutcome> {
    if (this.#closed) return Promise.resolve({ ok: false, reason: 'closed' });
    if (text.includes('\n')) return Promise.resolve({ ok: false, reason: 'line break in an nft command' });
    return new Promise((settle) => {
      this.#waiting.push({ text, settle });
      if (this.#pumping) return;
      this.#pumping = true;
      // A microtask would run before other callers of the same turn have asked.
      setImmediate(() => void this.#pump());
    });
  }

  /** Refuses what waits, ends the child, waits for its end. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const change of this.#waiting.splice(0)) change.settle({ ok: false, reason: 'closed' });
    const child = this.#child;
    if (child === null) return;
    child.stdin.end();
    const killer = this.#options.clock.after(this.#options.deadlineMs, () => child.kill('SIGKILL'));
    await child;
    killer.cancel();
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) await this.#apply(this.#waiting.splice(0, CHANGES_PER_TRANSACTION));
    this.#pumping = false;
  }

  async #apply(batch: readonly Change[]): Promise<void> {
    const outcome = await this.#transact(batch.map((change) => change.text).join('; '));
    const only = batch.length === 1 ? batch[0] : undefined;
    if (outcome.ok || only !== undefined || this.#inDoubt) {
      for (const change of batch) change.settle(outcome);
      return;
    }
    const middle = batch.length >>> 1;
    await this.#apply(batch.slice(0, middle));
    await this.#apply(batch.slice(middle));
  }

  /** Halving is for refusals; a dead or closed child refuses everything alike. */
  get #inDoubt(): boolean {
    return this.#child === null || this.#closed;
  }

  #transact(line: string): Promise<NftOutcome> {
    return new Promise((settle) => {
      const child = this.#child ?? this.#start();
      this.#counter++;
      const sentinel = `bng_ack_${this.#counter}`;
      const waitMs = this.#options.deadlineMs * (this.#acknowledged ? 1 : FIRST_TIMES);
      const deadline = this.#options.clock.after(waitMs, () => {
        this.#finish({ ok: false, reason: `no answer from nft within ${waitMs} ms` });
        this.#child = null;
        child.kill('SIGKILL');
      });
      this.#inFlight = { sentinel, settle, deadline };
      child.stdin.write(`${line}\n${sentinel}\n`);
    });
  }

  #start(): NftProcess {
    const child = spawnNft(this.#options.command ?? ['nft', '-i']);
    this.#child = child;
    this.#acknowledged = false;
    this.#errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (this.#child === child) this.#read(text);
    });
    // A child that died leaves a broken pipe; its end is handled below.
    child.stdin.on('error', () => undefined);
    void child.then((result) => this.#ended(child, result.shortMessage ?? 'its input was closed'));
    return child;
  }

  #ended(child: NftProcess, cause: string): void {
    const reason = `nft ended: ${cause.slice(0, REASON_CHARACTERS)}`;
    if (this.#child === child) {
      this.#child = null;
      this.#finish({ ok: false, reason });
    }
    // A child that never answered (nft is missing, say) must not start a chain of rebuilds.
    const served = this.#acknowledged;
    this.#acknowledged = false;
    if (!this.#closed && served) this.#options.onRestart(reason);
  }

  #read(text: string): void {
    this.#errors += text;
    const flight = this.#inFlight;
    if (flight === null) return;
    const at = this.#errors.indexOf(`\n${flight.sentinel}\n`);
    if (at < 0) return;
    const before = this.#errors.slice(0, at).split('\n');
    this.#errors = this.#errors.slice(at + flight.sentinel.length + 2);
    // The last line is the complaint about the sentinel itself; carets under the previous sentinel may lead.
    const own = before.slice(0, -1).filter((line) => /[^\s^]/.test(line));
    this.#acknowledged = true;
    this.#finish(own.length === 0 ? { ok: true } : { ok: false, reason: explain(own) });
  }

  #finish(outcome: NftOutcome): void {
    const flight = this.#inFlight;
    this.#inFlight = null;
    flight?.deadline.cancel();
    flight?.settle(outcome);
  }
}

function spawnNft([file, ...args]: readonly [string, ...string[]]) {
  return execa(file, args, { stdin: 'pipe', stdout: 'ignore', stderr: 'pipe', buffer: false, reject: false });
}

/** nft repeats the whole line that failed; only its own words are worth keeping. */
function explain(lines: readonly string[]): string {
  const errors = lines.filter((line) => line.includes('Error'));
  return (errors.length > 0 ? errors : lines).join(' ').slice(0, REASON_CHARACTERS);
}
