/**
 * A packet table, and subscribers behind the kernel's own tagged devices from installation to policing, on Debian's kernel 6.1 in QEMU.
 * `make test-vm` runs all of it, and on 6.12.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exec } from '../../src/lab/exec.js';
import { patience } from '../../src/lab/patience.js';

// dist/test/lab → the repository
const repository = join(import.meta.dirname, '..', '..', '..');
const KERNEL = '6.1';
const FILES = ['test/bpf/core.test', 'test/stock/kernel-devices'];
const SECONDS = 360;
/** An emulated CPU, beside the other tests. */
const GUEST_PATIENCE = 8;

/** Why it cannot run here; false when it can. */
function lacking(): string | false {
  const missing = ['/usr/bin/qemu-system-x86_64', `build/vm/${KERNEL}/initrd`].filter(
    (path) => !existsSync(path.startsWith('/') ? path : join(repository, path)),
  );
  return missing.length > 0 && `needs ${missing.join(' and ')} (scripts/vm/setup.sh ${KERNEL})`;
}

test(`on kernel ${KERNEL} a packet table holds, and subscribers behind its own tagged devices are served`, {
  skip: lacking(),
}, async () => {
  const { exitCode, stdout, stderr } = await exec(
    [
      // It has the whole tier's time, and others measure theirs.
      ...['env', `BNG_LAB_PATIENCE=${GUEST_PATIENCE}`, 'nice', '-n', '19'],
      ...[join(repository, 'scripts/vm/run.sh'), '--kernel', KERNEL, '--seconds', String(SECONDS * patience)],
      ...['--', 'node', 'dist/scripts/run-tests.js', 'bpf', 'stock'],
      ...FILES.flatMap((file) => ['--only', file]),
    ],
    { timeoutMs: SECONDS * 1000 * patience },
  );
  assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
  const [, passed = '0'] = /^([0-9]+) passed, 0 failed, 0 skipped$/m.exec(stdout) ?? [];
  assert.ok(Number(passed) >= 35, stdout);
});
