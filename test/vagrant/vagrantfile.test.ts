/** The Vagrantfile is sound for both providers, and runs what docs/install.md tells an operator to run. */
import assert from 'node:assert/strict';
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { exec, type ExecResult } from '../../src/lab/exec.js';

// dist/test/vagrant → the repository
const repository = join(import.meta.dirname, '..', '..', '..');
const VALIDATE_MS = 120_000;

describe('the Vagrantfile', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'bng-vagrantfile-'));
  const lab = join(scratch, 'vagrant');

  before(() => {
    for (const folder of ['vagrant', 'deploy', 'grafana/prometheus'])
      cpSync(join(repository, folder), join(scratch, folder), { recursive: true });
    mkdirSync(join(scratch, 'build'));
    writeFileSync(join(scratch, 'build/bng_0.0.0_amd64.deb'), '');
    // VirtualBox is in no Debian: Vagrant asks it for its version and takes the provider for usable then.
    writeFileSync(join(scratch, 'VBoxManage'), '#!/bin/sh\n[ "$1" = --version ] && echo 7.0.6r155176\n', {
      mode: 0o755,
    });
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  const validate = (provider: string): Promise<ExecResult> =>
    exec(
      [
        ...['env', '-C', lab, `PATH=${scratch}:${process.env['PATH'] ?? ''}`, `HOME=${scratch}`],
        ...[`VAGRANT_DEFAULT_PROVIDER=${provider}`, 'vagrant', 'validate'],
      ],
      { timeoutMs: VALIDATE_MS },
    );

  for (const provider of ['libvirt', 'virtualbox']) {
    test(`is sound for ${provider}`, async () => {
      const { exitCode, stdout, stderr } = await validate(provider);
      assert.equal(exitCode, 0, `${stdout}${stderr}`);
    });

    test(`with a setting that ${provider} does not know it is refused`, async () => {
      const file = join(lab, 'Vagrantfile');
      const sound = readFileSync(file, 'utf8');
      writeFileSync(file, sound.replaceAll('.memory = 1536', '.memery = 1536'));
      const { exitCode, stderr } = await validate(provider);
      writeFileSync(file, sound);
      assert.notEqual(exitCode, 0);
      assert.match(stderr, /memery/);
    });
  }

  test('runs the scripts of deploy/provision as docs/install.md gives them to an operator', () => {
    const machines = JSON.parse(readFileSync(join(lab, 'machines.json'), 'utf8')) as Record<
      string,
      { readonly script: string; readonly environment: Readonly<Record<string, string>> }
    >;
    const commands = readFileSync(join(repository, 'docs/install.md'), 'utf8').split('\n\n');
    for (const { script, environment } of Object.values(machines)) {
      accessSync(join(repository, 'deploy/provision', script), constants.X_OK);
      const given = commands.find((block) => block.includes(` sh deploy/provision/${script}`)) ?? '';
      for (const name of Object.keys(environment).filter((one) => one !== 'ACCESS_NODE'))
        assert.match(given, new RegExp(`(^|\\s)${name}=`), script);
    }
  });
});
