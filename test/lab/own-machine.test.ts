// Each test file has a machine of its own as far as names go, and nothing of it is left, however it ends. Nothing of ours runs in it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type FileResult, runTestFile } from '../../scripts/test-file.js';
import { patience } from '../../src/lab/patience.js';
import { eventually } from '../support/eventually.js';

const folder = mkdtempSync(join(tmpdir(), 'own-machine-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const DEADLINE_SECONDS = 30 * patience;

function write(name: string, body: string): string {
  const script = join(folder, `${name}.mjs`);
  const imports = `import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { it } from 'node:test';
const folder = ${JSON.stringify(folder)};
const until = async (condition) => { while (!condition()) await new Promise((r) => setTimeout(r, 10)); };`;
  writeFileSync(script, `${imports}\n${body}\n`);
  return script;
}

function run(name: string, body: string, deadlineSeconds = DEADLINE_SECONDS): Promise<FileResult> {
  return runTestFile(name, write(name, body), { deadlineSeconds, isolated: true });
}

function assertPassed(result: FileResult): void {
  assert.deepEqual(result.failures, [], result.output);
  assert.equal(result.passed, 1);
}

/** Whether a process runs with `text` among its arguments, in whatever namespace below ours. */
function runs(text: string): boolean {
  return readdirSync('/proc')
    .filter((entry) => /^[0-9]+$/.test(entry))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(text);
      } catch {
        // It ended while we looked.
        return false;
      }
    });
}

describe('the machine of a test file', { timeout: 120_000 * patience }, () => {
  it('two files use the same namespaces, paths, pins and ports at once', async () => {
    const body = (own: string, other: string): string => `it('has it all', async () => {
        execFileSync('ip', ['netns', 'add', 'same']);
        execFileSync('ip', ['link', 'add', 'same0', 'type', 'veth', 'peer', 'name', 'same1']);
        execFileSync('nft', ['add', 'table', 'inet', 'same']);
        mkdirSync('/run/same');
        mkdirSync('/sys/fs/bpf/same');
        const server = createServer().listen(4711, '127.0.0.1');
        await once(server, 'listening');
        writeFileSync(folder + '/${own}', '');
        await until(() => existsSync(folder + '/${other}'));
        assert.deepEqual(readdirSync('/run/netns'), ['same']);
        assert.deepEqual(readdirSync('/sys/class/net').sort(), ['lo', 'same0', 'same1']);
        server.close();
      });`;
    const results = await Promise.all([run('one', body('1', '2')), run('two', body('2', '1'))]);
    results.forEach(assertPassed);
    assert.ok(!existsSync('/run/same') && !existsSync('/sys/fs/bpf/same'));
  });

  it('its temporary files are its own, and in memory', async () => {
    const result = await run(
      'temporary',
      `it('has a folder', () => {
        writeFileSync(tmpdir() + '/left', '');
        console.log('in', tmpdir());
        const mount = readFileSync('/proc/self/mounts', 'utf8').split('\\n').find((line) => line.includes(tmpdir()));
        assert.match(mount, / tmpfs /);
      });`,
    );
    assertPassed(result);
    const path = /in (\S+)/.exec(result.output)?.[1] ?? assert.fail(result.output);
    assert.ok(!existsSync(path));
    assert.ok(!readFileSync('/proc/self/mounts', 'utf8').includes(path));
  });

  it('an orphan is reaped when it ends', async () => {
    const result = await run(
      'orphan',
      `it('leaves none', async () => {
        const pid = execFileSync('sh', ['-c', 'sleep 0.2 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' }).trim();
        await until(() => !existsSync('/proc/' + pid));
      });`,
    );
    assertPassed(result);
  });

  it('processes in sessions of their own end with a file that does not end', async () => {
    const result = await run(
      'endless',
      `spawn('sleep', ['98765.1'], { detached: true, stdio: 'ignore' }).unref();
       console.log('began');
       it('waits', () => new Promise(() => { setInterval(() => {}, 1000); }));`,
      2 * patience,
    );
    assert.match(result.output, /began/);
    assert.match(result.failures[0]?.text ?? '', /^it ran past its deadline of /);
    assert.ok(!runs('98765.1'));
  });

  it('they end with a file that is killed, which is reported', async () => {
    const result = await run(
      'killed',
      `spawn('sleep', ['98765.2'], { detached: true, stdio: 'ignore' }).unref();
       it('is killed', async () => { process.kill(process.pid, 'SIGKILL'); await once(process, 'never'); });`,
    );
    assert.deepEqual(
      result.failures.map(({ text }) => text),
      ['its process ended before its tests did: exit status 137'],
    );
    assert.ok(!runs('98765.2'));
  });

  it('they end with a runner that is killed', async () => {
    const script = write(
      'forever',
      `spawn('sleep', ['98765.3'], { detached: true, stdio: 'ignore' }).unref();
       it('waits', () => new Promise(() => { setInterval(() => {}, 1000); }));`,
    );
    const main = join(folder, 'runner.mjs');
    const runner = new URL('../../scripts/test-file.js', import.meta.url).href;
    const options = `{ deadlineSeconds: ${DEADLINE_SECONDS}, isolated: true }`;
    writeFileSync(
      main,
      `import { runTestFile } from '${runner}';\nawait runTestFile('forever', '${script}', ${options});\n`,
    );
    const child = spawn(process.execPath, [main], { stdio: 'ignore' });
    const exited = once(child, 'exit');
    await eventually('the file runs', () => (runs('98765.3') ? true : null));
    child.kill('SIGKILL');
    await exited;
    await eventually('all is gone', () => (runs('98765.3') || runs(script) ? null : true));
  });
});
