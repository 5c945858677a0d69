/** `make install` and `make uninstall`: what is put where, that it runs from there, and that nothing stays behind. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execOrThrow } from '../../src/lab/exec.js';

// dist/test/tooling → the repository
const repository = join(import.meta.dirname, '..', '..', '..');
const INSTALL_MS = 60_000;
const PREFIX = '/opt/isp';

describe('make install', () => {
  const root = mkdtempSync(join(tmpdir(), 'bng-install-'));
  const bin = join(root, PREFIX, 'bin');
  const unit = join(root, 'lib/systemd/system/bng.service');
  // What `make` passes on; `make` itself would build.
  const make = (verb: 'install' | 'uninstall'): Promise<unknown> =>
    execOrThrow(
      ['env', `DESTDIR=${root}`, `PREFIX=${PREFIX}`, join(repository, 'scripts/package/install.sh'), verb],
      { timeoutMs: INSTALL_MS },
    );
  const files = (): string[] =>
    readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (path) => !statSync(join(root, path)).isDirectory(),
    );

  before(() => make('install'));
  after(() => rmSync(root, { recursive: true, force: true }));

  test('puts everything below DESTDIR, with the paths of PREFIX in the commands and in the unit', () => {
    for (const command of ['bng', 'bngctl'])
      assert.match(
        readFileSync(join(bin, command), 'utf8'),
        new RegExp(`^exec .*node ${PREFIX}/lib/bng/dist/src/bin/${command}\\.js "\\$@"$`, 'm'),
      );
    assert.match(readFileSync(unit, 'utf8'), new RegExp(`^ExecStart=${PREFIX}/bin/bng run `, 'm'));
    const of = (folder: string): number =>
      files().filter((path) => path.startsWith(`opt/isp/${folder}/`)).length;
    assert.deepEqual([of('share/man/man1'), of('share/bash-completion/completions'), of('bin')], [2, 2, 2]);
  });

  test('what is there runs by itself, with its native addon', async () => {
    const lib = join(root, PREFIX, 'lib/bng');
    const schema = await execOrThrow([
      process.execPath,
      join(lib, 'dist/src/bin/bng.js'),
      'config',
      'schema',
    ]);
    assert.deepEqual(
      JSON.parse(schema),
      JSON.parse(readFileSync(join(repository, 'deploy/bng.schema.json'), 'utf8')),
    );
    const addon = `require(${JSON.stringify(join(lib, 'build/Release/bng_native.node'))})`;
    await execOrThrow([process.execPath, '-e', addon]);
  });

  test('again it changes nothing, and uninstalled it leaves nothing but what others put there', async () => {
    const was = files();
    await make('install');
    assert.deepEqual(files(), was);
    mkdirSync(join(root, 'etc/bng'), { recursive: true });
    writeFileSync(join(root, 'etc/bng/bng.yaml'), '');
    writeFileSync(join(bin, 'another'), '');
    await make('uninstall');
    assert.deepEqual(files().sort(), ['etc/bng/bng.yaml', 'opt/isp/bin/another']);
  });
});
