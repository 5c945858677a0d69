/**
 * Every command of README and docs/ is run: each document in a lab of its own, its blocks in order, by a shell that stops at the
 * first failure. Blocks that cannot be run here say why, in the document.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { exec } from '../../src/lab/exec.js';
import type { ExecResult } from '../../src/lab/exec.js';
import { LabPaths } from '../../src/lab/lab-paths.js';
import { patience } from '../../src/lab/patience.js';
import type { CommandBlock } from '../support/documented-commands.js';
import { commandBlocks, documents } from '../support/documented-commands.js';

const repository = join(import.meta.dirname, '..', '..', '..');
const BLOCK_DEADLINE_MS = 60_000 * patience;
const SERVING_DEADLINE_MS = 20_000;
/** The lab that `make lab-up` builds, as documents name it. */
const lab = new LabPaths('bng');

let programs: string;

/** What an installed BNG has on its PATH, and a sudo that need not ask. */
function installPrograms(): void {
  programs = mkdtempSync(join(tmpdir(), 'confdoc-bin-'));
  const put = (name: string, script: string): void => {
    writeFileSync(join(programs, name), `#!/bin/sh\nexec ${script} "$@"\n`);
    chmodSync(join(programs, name), 0o755);
  };
  for (const name of ['bng', 'bngctl']) {
    put(name, `"${process.execPath}" "${join(repository, 'dist/src/bin', `${name}.js`)}"`);
  }
  put('sudo', 'env');
}

/** /etc as it is, with whatever is written there gone at the end; and interfaces with the names of the example. */
async function prepareMachine(): Promise<void> {
  const upper = '/run/etc-overlay';
  mkdirSync(join(upper, 'u'), { recursive: true });
  mkdirSync(join(upper, 'w'));
  const options = `lowerdir=/etc,upperdir=${upper}/u,workdir=${upper}/w`;
  await command('mount', '-t', 'overlay', 'overlay', '-o', options, '/etc');
  await command('mount', '-t', 'tmpfs', 'none', '/var/lib');
  for (const name of ['access0', 'core0']) {
    await command(
      'ip',
      'link',
      'add',
      name,
      'mtu',
      '1508',
      'type',
      'veth',
      'peer',
      'name',
      `${name}-far`,
      'mtu',
      '1508',
    );
    await command('ip', 'link', 'set', name, 'up');
    await command('ip', 'link', 'set', `${name}-far`, 'up');
  }
}

async function command(...words: string[]): Promise<ExecResult> {
  const result = await exec(['env', `PATH=${path()}`, ...words], { timeoutMs: BLOCK_DEADLINE_MS });
  assert.equal(result.exitCode, 0, `${words.join(' ')}: ${result.stdout}${result.stderr}`);
  return result;
}

const path = (): string => `${programs}:${process.env['PATH'] ?? ''}`;
/** Other documents than README speak of the machine that the BNG runs on: there it is the lab's namespace of the BNG. */
const shell = (text: string, inLab: boolean): string[] => [
  ...(inLab ? ['nsenter', `--net=/run/netns/${lab.namespace('bng')}`] : []),
  ...['env', '-C', repository, `PATH=${path()}`],
  ...['bash', '-euo', 'pipefail', '-O', 'expand_aliases', '-c', text],
];

/** The commands of a block that serves go on until they are stopped; it must have said that it started. */
async function serve({ text }: CommandBlock): Promise<void> {
  const [program = '', ...args] = shell(`exec ${text.trim()}`, false);
  const child = spawn(program, args);
  let said = '';
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const deadline = setTimeout(() => child.kill('SIGKILL'), SERVING_DEADLINE_MS);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('"event":"started"')) child.kill('SIGTERM');
    });
  }
  const status = await ended;
  clearTimeout(deadline);
  assert.equal(status, 0, said);
  assert.match(said, /"event":"started"/);
}

before(async () => {
  installPrograms();
  await prepareMachine();
});
after(() => rmSync(programs, { recursive: true }));

for (const file of documents(repository)) {
  const blocks = commandBlocks(repository, file).filter(({ notRun }) => notRun === null);
  if (blocks.length === 0) continue;
  describe(`the commands of ${file}`, { timeout: 180_000 }, () => {
    // README builds its lab by its own commands.
    const inLab = file !== 'README.md';
    before(async () => {
      if (!inLab) return;
      await command('bng', 'lab', 'up');
      mkdirSync('/run/bng', { recursive: true });
      rmSync('/run/bng/bng.sock', { force: true });
      symlinkSync(lab.apiSocket, '/run/bng/bng.sock');
      mkdirSync('/etc/bng', { recursive: true });
      copyFileSync(join(lab.directory, 'api.token'), '/etc/bng/api.token');
      chmodSync('/etc/bng/api.token', 0o600);
    });
    after(async () => {
      rmSync('/run/bng/bng.sock', { force: true });
      await command('bng', 'lab', 'down');
    });
    for (const block of blocks) {
      it(`those of line ${block.line} end well`, async () => {
        if (block.serves) return serve(block);
        const result = await exec(shell(block.text, inLab), { timeoutMs: BLOCK_DEADLINE_MS });
        assert.equal(result.exitCode, 0, `${block.text}\n${result.stdout}\n${result.stderr}`);
      });
    }
  });
}
