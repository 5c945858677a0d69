/** bngctl around its commands: connection options, widths, long lists, completion in a real bash, the manual page. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { completionOf } from '../../src/bin/bngctl/completion.js';
import { manPage } from '../../src/bin/bngctl/man-page.js';
import { BNGCTL_PAGE } from '../../src/bin/bngctl/page-notes.js';
import { bngctlProgram } from '../../src/bin/bngctl/program.js';
import { buildApi } from '../../src/http/api.js';
import { listenLocally } from '../../src/http/local-socket.js';
import { apiOptions, FakeBng, makeSession } from './fake-bng.js';

const PROGRAM = fileURLToPath(new URL('../../src/bin/bngctl.js', import.meta.url));
const program = bngctlProgram({ out: () => undefined, err: () => undefined }, async () => undefined);

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { timeout: 20_000, env: { ...process.env, ...env }, maxBuffer: 1 << 26 };
    execFile(process.execPath, [PROGRAM, ...args], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err }),
    );
  });
}

async function withSocket(
  act: (bng: FakeBng, socket: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bngctl-shell-'));
  const bng = new FakeBng();
  const socket = join(folder, 'bng.sock');
  const close = await listenLocally(buildApi(apiOptions(bng, { token: null, isLocal: true })), socket);
  try {
    await act(bng, socket, folder);
  } finally {
    await close();
    rmSync(folder, { recursive: true });
  }
}

test('a long list comes page by page under one line of titles, sorted when asked, and as one JSON document', async () => {
  await withSocket(async (bng, socket) => {
    for (let i = 0; i < 2_500; i++) {
      const ontSerial = `ONT${String(i).padStart(5, '0')}`;
      bng.list.push(makeSession({ id: `id-${i}`, ontSerial, state: i % 5 === 0 ? 'active' : 'wgar' }));
    }
    const text = await run(['--socket', socket, 'sessions']);
    const lines = text.out.trimEnd().split('\n');
    assert.deepEqual([text.code, lines.length, lines.at(-1)], [0, 2_502, '2500 sessions']);
    assert.equal(lines.filter((line) => line.startsWith('ONT ')).length, 1);
    const sorted = await run(['--socket', socket, 'sessions', '--sort', '-ont', '--columns', 'ont']);
    assert.deepEqual(sorted.out.split('\n').slice(0, 3), ['ONT', 'ONT02499', 'ONT02498']);
    const json = await run(['--socket', socket, '--json', 'sessions', '--state', 'active']);
    assert.equal((JSON.parse(json.out) as { sessions: unknown[] }).sessions.length, 500);
    const none = await run(['--socket', socket, '--json', 'sessions', '--state', 'suspended']);
    assert.deepEqual(JSON.parse(none.out), { sessions: [] });
  });
});

test('COLUMNS narrows a table in a pipe, and what has no room is said', async () => {
  await withSocket(async (bng, socket) => {
    bng.list.push(makeSession());
    const { out, err } = await run(['--socket', socket, 'sessions'], { COLUMNS: '50' });
    assert.ok(
      out.split('\n').every((line) => line.length <= 50),
      out,
    );
    assert.match(err, /^bngctl: no room for \d more columns: .*--columns\n$/);
  });
});

test('--watch shows the picture again until it is stopped', async () => {
  await withSocket(async (bng, socket) => {
    bng.list.push(makeSession());
    const script = `"$1" "$2" --socket "$3" --json sessions --watch 0.1 | head -n 3`;
    const { out } = await new Promise<Ran>((resolve) => {
      const args = ['-c', script, 'sh', process.execPath, PROGRAM, socket];
      execFile('sh', args, { timeout: 20_000 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : 1, out: stdout, err: stderr }),
      );
    });
    assert.equal(out.trimEnd().split('\n').length, 3);
    assert.equal((JSON.parse(out.split('\n')[0]!) as { sessions: unknown[] }).sessions.length, 1);
  });
});

test('a token file that others may read is refused, and socket and token exclude each other', async () => {
  await withSocket(async (_bng, socket, folder) => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'secret', { mode: 0o644 });
    const open = await run(['--token-file', tokenFile, 'pools']);
    assert.equal(open.code, 2);
    assert.match(open.err, /only its owner can read \(chmod 600\).*mode:0644/);
    const both = await run(['--socket', socket, '--url', 'http://127.0.0.1:1', 'pools']);
    assert.equal(both.code, 2);
    assert.match(both.err, /either --socket or --url/);
  });
});

test('bash completes commands, options, words and files', () => {
  const complete = (...words: string[]): string[] => {
    const script = [
      completionOf(program, 'bash'),
      `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`,
      '_bngctl; printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const { stdout, status, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.trim().split('\n');
  };
  assert.deepEqual(complete('bngctl', 'sess'), ['sessions', 'session']);
  assert.deepEqual(complete('bngctl', '--json', 'sessions', '--so'), ['--sort', '--socket']);
  assert.deepEqual(complete('bngctl', 'sessions', '--state', 'a'), ['activating', 'active']);
  assert.deepEqual(complete('bngctl', 'completion', 'b'), ['bash']);
  assert.ok(complete('bngctl', '--token-file', PROGRAM.slice(0, -1)).includes(PROGRAM));
});

test('zsh completes commands with what they do, options, words and files', () => {
  // The builtins of zsh's completion, telling what they were given: without a terminal nothing else hears of it.
  const told =
    'compdef() { :; }; compadd() { print -l -- ${@:2}; }; _files() { print FILES; }; _describe() { print -l -- ${(P)2}; }';
  const complete = (...words: string[]): string[] => {
    const script = [
      told,
      completionOf(program, 'zsh'),
      `words=(${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length}; _bngctl`,
    ];
    const { stdout, status, stderr } = spawnSync('zsh', ['-f', '-c', script.join('\n')], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.trim().split('\n');
  };
  assert.ok(complete('bngctl', '').some((word) => /^sessions:.{10}/.test(word)));
  assert.ok(complete('bngctl', '--json', 'sessions', '').includes('--sort'));
  assert.deepEqual(complete('bngctl', 'sessions', '--state', '').slice(0, 2), ['discovered', 'wgar']);
  assert.deepEqual(complete('bngctl', 'completion', '').slice(0, 3), ['bash', 'zsh', 'fish']);
  assert.deepEqual(complete('bngctl', '--token-file', ''), ['FILES']);
});

test('fish completes commands with what they do, options, words and files', () => {
  const complete = (line: string): string[] => {
    const script = `${completionOf(program, 'fish')}\ncomplete -C ${JSON.stringify(line)}`;
    const { stdout, status, stderr } = spawnSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout.trim().split('\n');
  };
  assert.ok(complete('bngctl sess').some((word) => /^sessions\t.{10}/.test(word)));
  assert.ok(complete('bngctl --json sessions --so').includes('--sort'));
  assert.ok(complete('bngctl sessions --state a').includes('active'));
  assert.ok(complete('bngctl completion b').includes('bash'));
  assert.ok(complete(`bngctl --token-file ${PROGRAM.slice(0, -1)}`).some((word) => word.startsWith(PROGRAM)));
});

test('the manual page names every command, option and exit code, and renders without a warning', () => {
  const page = manPage(program, BNGCTL_PAGE);
  const leaves = program.commands.flatMap((command) =>
    command.commands.length === 0 ? [command] : command.commands,
  );
  for (const command of leaves) {
    assert.match(page, new RegExp(`^\\.SS "(store )?${command.name()}[" ]`, 'm'));
    for (const option of command.options)
      assert.ok(page.includes(`.B ${option.flags.replaceAll('-', '\\-')}`));
  }
  for (const code of [0, 1, 2, 3]) assert.match(page, new RegExp(`^\\.B ${code}\\n`, 'm'));
  const rendered = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: page, encoding: 'utf8' });
  assert.deepEqual([rendered.error, rendered.status, rendered.stderr], [undefined, 0, '']);
});
