/** The parent's end of a crowd of subscribers (crowd-main.ts): what it does, what it has seen go wrong, and its accounts. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrowdAccount, CrowdOrder, CrowdSettings, CrowdWord } from './crowd-main.js';

const PROGRAM = fileURLToPath(new URL('crowd-main.js', import.meta.url));

export class Crowd {
  readonly #child: ChildProcess;
  readonly words = new EventEmitter();
  readonly wrong: string[] = [];
  /** Serials of those that are walled and wait for an activation. */
  readonly walled = new Set<string>();

  constructor(namespace: string, settings: CrowdSettings) {
    const command = [`--net=/run/netns/${namespace}`, process.execPath, PROGRAM, JSON.stringify(settings)];
    this.#child = spawn('nsenter', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (word: CrowdWord) => this.#hear(word));
    this.#child.on('exit', (code) => this.wrong.push(`the crowd ended with ${code}`));
  }

  order(word: CrowdOrder): void {
    this.#child.send(word);
  }

  async accounts(): Promise<readonly CrowdAccount[]> {
    const answer = once(this.words, 'account');
    this.#child.send('account');
    const [accounts] = (await answer) as [readonly CrowdAccount[]];
    return accounts;
  }

  close(): void {
    this.#child.removeAllListeners('exit');
    this.#child.kill('SIGKILL');
  }

  #hear(word: CrowdWord): void {
    if ('wrong' in word) this.wrong.push(word.wrong);
    else if ('did' in word) this.words.emit(word.did);
    else if ('account' in word) this.words.emit('account', word.account);
    else if (word.walled) this.walled.add(word.bound);
    else this.walled.delete(word.bound);
  }
}
