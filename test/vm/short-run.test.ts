/**
 * The short run on a stock kernel that every test has: a packet table, and subscribers behind the kernel's own tagged devices, on Debian's
 * 6.1 in QEMU. `make test-vm` runs all of it, and on 6.12, too.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { exec, execOrThrow } from '../../src/lab/exec.js';
import { patience } from '../../src/lab/patience.js';

// dist/test/vm → the repository
const repository = join(import.meta.dirname, '..', '..', '..');
const KERNEL = '6.1';
/** Ten times what it takes. */
const SECONDS = 350 * patience;
/** What run.sh says of a guest that was not done by then. */
const NOT_DONE = 124;
/** Most machines that test have no KVM of use to a stock kernel. */
const GUEST_PATIENCE = 6 * patience;

interface Part {
  readonly what: string;
  readonly tier: string;
  readonly file: string;
  /** How many tests the file holds at the least. */
  readonly atLeast: number;
}
const PARTS: readonly Part[] = [
  { what: 'the packet table of the core side holds', tier: 'bpf', file: 'test/bpf/core.test', atLeast: 30 },
  {
    what: 'subscribers behind its own tagged devices are served, counted and policed',
    tier: 'stock',
    file: 'test/stock/kernel-devices',
    atLeast: 7,
  },
];

/** The parts side by side, one on each CPU of the guest; each line says whose it is. */
const SCRIPT = `${PARTS.map(({ tier, file }) => `node dist/scripts/run-tests.js ${tier} --only ${file} 2>&1 | sed 's/^/${tier}: /' &`).join('\n')}
wait`;

/** Why it cannot run here; false when it can. */
function lacking(): string | false {
  const missing = ['/usr/bin/qemu-system-x86_64', join(repository, 'build/vm', KERNEL, 'initrd')].filter(
    (path) => !existsSync(path),
  );
  return missing.length > 0 && `needs ${missing.join(' and ')}: scripts/vm/setup.sh ${KERNEL}`;
}

const skip = lacking();

describe(`on Debian's kernel ${KERNEL}`, { skip }, () => {
  let said = '';
  /** An emulated CPU that is given too little of a real one says nothing of what it runs. */
  let late: string | false = false;

  before(async () => {
    const dist = join(repository, 'build/vm/dist-short');
    const bundle = [process.execPath, join(repository, 'dist/scripts/vm/bundle.js'), dist];
    await execOrThrow([...bundle, ...PARTS.map(({ file }) => file)], { timeoutMs: 60_000 * patience });
    const run = [
      join(repository, 'scripts/vm/run.sh'),
      '--kernel',
      KERNEL,
      '--dist',
      dist,
      '--memory',
      '2048',
      '--seconds',
      String(SECONDS),
    ];
    const { exitCode, stdout, stderr } = await exec(
      ['env', `BNG_LAB_PATIENCE=${GUEST_PATIENCE}`, ...run, '--', 'sh', '-c', SCRIPT],
      // Run.sh ends QEMU itself.
      { timeoutMs: (SECONDS + 20) * 1000 },
    );
    said = `${stdout}\n${stderr}`;
    if (exitCode === NOT_DONE && !/^(bpf|stock): (FAILED|  FAIL) /m.test(said))
      late = `the guest was not done within ${SECONDS} s (load ${loadavg()[0]?.toFixed(1)}), and nothing had failed`;
    else assert.equal(exitCode, 0, said);
  });

  for (const { what, tier, atLeast } of PARTS) {
    test(what, (t) => {
      if (late !== false) {
        t.skip(late);
        return;
      }
      const [, passed = '0'] =
        new RegExp(`^${tier}: ([0-9]+) passed, 0 failed, 0 skipped$`, 'm').exec(said) ?? [];
      assert.ok(Number(passed) >= atLeast, said);
    });
  }
});
