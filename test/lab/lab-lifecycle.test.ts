/** A lab comes up quickly, and leaves nothing behind however it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { Lab } from '../../src/lab/lab.js';
import { removeAbandonedLabs, removeLab } from '../../src/lab/lab-removal.js';
import { LabPaths, labProgram } from '../../src/lab/lab-paths.js';
import { listNamespaces, processesIn } from '../../src/lab/namespaces.js';
import { isBngError } from '../../src/model/bng-error.js';

const PREFIX = 'lbl';
const paths = new LabPaths(PREFIX);
const CLIENTS = ['udhcpc', 'dhclient', 'dhcpcd'] as const;

function assertNothingLeft(): void {
  assert.deepEqual(listNamespaces(`${PREFIX}-`), []);
  for (const path of [paths.directory, paths.ownerFile, paths.bpffsDirectory])
    assert.ok(!existsSync(path), path);
}

async function startOrchestrator(): Promise<ReturnType<typeof spawn>> {
  const main = labProgram('../../test/lab/lab-orchestrator-main.js');
  const child = spawn(process.execPath, [main, PREFIX], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  assert.equal(line, 'up');
  return child;
}

/** Gives up quietly after 5 s: what is asserted next says what was expected. */
async function waitFor(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition() && performance.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
}

async function kill(child: ReturnType<typeof spawn>): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

describe('the life of a lab', { timeout: 120_000 }, () => {
  it('a lab with ten ONTs is there within three seconds and leaves nothing behind when it closes', async (t) => {
    const start = performance.now();
    const lab = await Lab.create({ prefix: PREFIX });
    let pids: number[] = [];
    try {
      const indexes = Array.from({ length: 10 }, (_, i) => i + 1);
      await Promise.all(
        indexes.map((i) => {
          const client = CLIENTS[i % 3]!;
          return lab.plug({ ontSerial: `ONT${i}`, port: `1/1/${i}`, tagging: 'qinq', client });
        }),
      );
      const took = performance.now() - start;
      t.diagnostic(`lab with 10 ONTs in ${took.toFixed(0)} ms`);
      assert.ok(took < 3_000, `took ${took} ms`);
      mkdirSync(`${paths.bpffsDirectory}/pins`, { recursive: true });
      pids = processesIn(listNamespaces(`${PREFIX}-`));
      assert.ok(pids.length >= 10 + 3, `only ${pids.length} processes`);
    } finally {
      await lab.close();
    }
    assertNothingLeft();
    for (const pid of pids) assert.ok(!existsSync(`/proc/${pid}/ns/net`), `process ${pid} is left`);
    await lab.close();
  });

  it('a prefix belongs to one living process', async () => {
    const lab = await Lab.create({ prefix: PREFIX });
    try {
      await assert.rejects(Lab.create({ prefix: PREFIX }), (error) => isBngError(error, 'BNG_ERR_LAB'));
      assert.deepEqual(listNamespaces(`${PREFIX}-`).length, 3);
    } finally {
      await lab.close();
    }
    assertNothingLeft();
  });

  it('a living lab of another process is not removed, and is not taken over', async () => {
    const orchestrator = await startOrchestrator();
    try {
      await assert.rejects(removeLab(PREFIX), (error) => isBngError(error, 'BNG_ERR_LAB'));
      await assert.rejects(Lab.create({ prefix: PREFIX }), (error) => isBngError(error, 'BNG_ERR_LAB'));
      assert.ok(!(await removeAbandonedLabs()).includes(PREFIX));
      assert.equal(orchestrator.exitCode, null);
    } finally {
      await kill(orchestrator);
      await removeLab(PREFIX);
    }
    assertNothingLeft();
  });

  it('when its process is killed, every process of the lab dies with it, and removeLab removes the rest', async () => {
    const orchestrator = await startOrchestrator();
    const names = listNamespaces(`${PREFIX}-`);
    assert.equal(names.length, 6);
    // dhcpcd gives up root, at which the kernel forgets the signal that a parent's death would send.
    await waitFor(() =>
      processesIn(names).some((pid) => (statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? 0) !== 0),
    );
    const pids = processesIn(names);
    await kill(orchestrator);
    await waitFor(() => processesIn(names).length === 0);
    const left = processesIn(names);
    const named = left.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    await removeLab(PREFIX);
    assert.deepEqual(named, []);
    assert.ok(pids.length >= 3 + 3 + 3, `only ${pids.length} processes`);
    assertNothingLeft();
  });

  it('what a killed process left is removed by the next lab of that prefix', async () => {
    await kill(await startOrchestrator());
    assert.ok(existsSync(paths.ownerFile));
    const lab = await Lab.create({ prefix: PREFIX });
    assert.equal(listNamespaces(`${PREFIX}-`).length, 3);
    await lab.close();
    assertNothingLeft();
  });

  it('removing abandoned labs names what it removed; removing what is not there is fine', async () => {
    await kill(await startOrchestrator());
    assert.ok((await removeAbandonedLabs()).includes(PREFIX));
    assertNothingLeft();
    await removeLab(PREFIX);
  });

  it('a prefix that interface and namespace names cannot carry is refused', async () => {
    for (const prefix of ['', 'toolong7', 'a-b', 'A', '1a', '../x']) {
      await assert.rejects(Lab.create({ prefix }), (error) => isBngError(error, 'BNG_ERR_VALUE'), prefix);
    }
  });
});
