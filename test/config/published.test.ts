/** What is published of the configuration: its schema, its example, `bng config` and `bng check`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { exampleFile } from '../../src/config/example-file.js';
import { fileSchema, keysOf } from '../../src/config/file-schema.js';
import { KEY_NOTES } from '../../src/config/key-notes.js';
import { parseConfig } from '../../src/config/parse-config.js';
import { MINIMAL, withLine } from './minimal-yaml.js';

const BNG = join(import.meta.dirname, '../../src/bin/bng.js');
const schema = z.fromJSONSchema(fileSchema() as z.core.JSONSchema.JSONSchema);
const fits = (text: string): boolean => schema.safeParse(parse(text)).success;
/** Everything that the example has switched off, switched on. */
const everything = exampleFile().replace(/^( *)#(?=  |[a-zA-Z])/gm, '$1');

function bng(...args: string[]): {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
} {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BNG, ...args], { encoding: 'utf8' });
  return { status, out: stdout, err: stderr };
}

function withFolder(act: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'confdoc-test-'));
  try {
    act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the published schema', () => {
  it('has a note for every key, and there is no other note', () => {
    const paths = keysOf(fileSchema()).map(({ path }) => path);
    assert.deepEqual(
      Object.keys(KEY_NOTES).filter((path) => !paths.includes(path)),
      [],
    );
  });

  it('takes the smallest file and the example, as it is and with everything switched on', () => {
    for (const text of [MINIMAL, exampleFile(), everything]) {
      assert.ok(parseConfig(text).ok);
      assert.ok(fits(text));
    }
  });

  const wrong = [
    'core: {}',
    'core: { interface: core0, more: 1 }',
    'core: { interface: [] }',
    'core: { interface: an-interface-0000 }',
    'core: { interface: core0 }\napi: { listen: 127.0.0.1 }',
    'core: { interface: core0 }\nmetrics: { topTalkers: 101 }',
    'core: { interface: core0 }\nqos: { burstMs: 0 }',
    'core: { interface: core0 }\nlog: { level: loud }',
    'core: { interface: core0 }\nradius: { nasIdentifier: x, servers: [] }',
    'core: { interface: core0 }\naudit: { to: audit.log }',
    'core: { interface: core0 }\nntp: {}',
  ];
  for (const core of wrong) {
    it(`refuses what the checks refuse of one value: ${core.replace('core: { interface: core0 }\n', '')}`, () => {
      const text = withLine('core:', core);
      assert.equal(parseConfig(text).ok, false);
      assert.equal(fits(text), false);
    });
  }

  it('is what bng config schema prints', () => {
    assert.deepEqual(JSON.parse(bng('config', 'schema').out), fileSchema());
  });
});

describe('bng config init', () => {
  it('writes the example, never over a file', () =>
    withFolder((folder) => {
      const path = join(folder, 'etc', 'bng.yaml');
      assert.equal(bng('config', 'init', '-c', path).status, 0);
      assert.equal(readFileSync(path, 'utf8'), exampleFile());
      writeFileSync(path, 'mine');
      const again = bng('config', 'init', '-c', path);
      assert.equal(again.status, 1);
      assert.match(again.err, /is there already/);
      assert.equal(readFileSync(path, 'utf8'), 'mine');
    }));
});

describe('bng check', () => {
  it('names the files with secrets that others can read, or that are not there, with their lines', () =>
    withFolder((folder) => {
      const [config, token, secret] = ['bng.yaml', 'token', 'secret'].map((name) => join(folder, name));
      writeFileSync(token!, 'a-token\n', { mode: 0o600 });
      writeFileSync(secret!, 'a-secret\n');
      chmodSync(secret!, 0o644);
      const radius = `radius: { nasIdentifier: x, servers: [{ host: a, secretFile: ${secret} }, { host: b, secretFile: ${folder}/none }] }`;
      writeFileSync(config!, `${MINIMAL}\napi: { tokenFile: ${token} }\n${radius}\n`);
      const line = readFileSync(config!, 'utf8').split('\n').indexOf(radius) + 1;
      const { status, err } = bng('check', '-c', config!);
      assert.equal(status, 2);
      const where = `${config}:${line}: radius.servers`;
      assert.deepEqual(err.trim().split('\n'), [
        `${where}[0].secretFile: expected a secret file that only its owner can read (chmod 600), found ${secret} with mode 0644`,
        `${where}[1].secretFile: expected a readable secret file, found ${folder}/none`,
      ]);
      assert.ok(!err.includes('a-secret'));
      chmodSync(secret!, 0o600);
      writeFileSync(join(folder, 'none'), 'other', { mode: 0o600 });
      assert.equal(bng('check', '-c', config!).status, 0);
    }));
});
