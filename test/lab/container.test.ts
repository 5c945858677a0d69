/**
 * The container of deploy/container/Dockerfile, put together by its own steps without Docker: small, without build tools, and `bng
 * demo` and the DaemonSet of deploy/kubernetes run in it with their own commands, rights and mounts.
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Child, exec } from '../../src/lab/exec.js';
import { unpackRoot } from '../support/booted-machine.js';
import { commandOf, dockerStages, wholeStage } from '../support/dockerfile.js';
import { eventually } from '../support/eventually.js';
import { kustomize, type Manifest, nameOf } from '../support/kustomize.js';

// dist/test/lab → the repository
const repository = join(import.meta.dirname, '..', '..', '..');
const deploy = join(repository, 'deploy');
const stages = dockerStages(join(deploy, 'container/Dockerfile'));
const DEADLINE_MS = 120_000;
/** What the lines of deploy/container/packages come to is Debian's; this is ours. */
const MOST_MIB = 160;
const BUILD_TOOLS = ['gcc', 'g++', 'clang', 'make', 'npm', 'node-gyp', 'python3', 'git'];

interface Container {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly privileged: boolean;
  readonly capabilities: readonly string[];
}

/** Enters the root in namespaces of its own, with what a container runtime mounts; /proc/sys is read-only unless it is privileged. */
const ENTER = `
mount --make-rprivate /
mount --rbind "$1" "$1"
cd "$1"
mount -t proc proc proc
[ "$2" = privileged ] || { mount --bind proc/sys proc/sys; mount -o remount,bind,ro proc/sys; }
mount -t sysfs sysfs sys
ip link set lo up
if [ -d "$3" ]; then mount --bind "$3" sys/fs/bpf; else mount -t bpf bpf sys/fs/bpf; fi
for folder in run tmp dev; do mount -t tmpfs tmpfs $folder; done
for device in null zero full random urandom; do touch dev/$device; mount --bind /dev/$device dev/$device; done
shift 3
exec "$@"
`;

function containerOf(manifest: Manifest | undefined, kind: 'containers' | 'initContainers'): Container {
  const pod = (manifest as { spec: { template: { spec: Record<string, unknown> } } }).spec.template.spec;
  const [first] = pod[kind] as {
    command?: string[];
    args?: string[];
    env?: { name: string; value: string }[];
    securityContext: { privileged?: boolean; capabilities?: { add: string[] } };
  }[];
  const { command, args = [], env = [], securityContext } = first!;
  return {
    command: [...(command ?? commandOf(wholeStage(stages, 'bng'), 'ENTRYPOINT')), ...args],
    env: Object.fromEntries(env.map(({ name, value }) => [name, value])),
    privileged: securityContext.privileged === true,
    capabilities: securityContext.capabilities?.add ?? [],
  };
}

describe('the container', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'bng-container-'));
  const root = join(scratch, 'root');
  const built = join(scratch, 'build');
  const example = kustomize(join(deploy, 'kubernetes/overlays/example'));
  const demo = kustomize(join(deploy, 'kubernetes/overlays/demo'));
  const manifest = (all: readonly Manifest[], name: string): Manifest | undefined =>
    all.find((one) => nameOf(one) === name);

  before(async () => {
    // Without a network the packages are there already; everything else is what the Dockerfile says.
    await unpackRoot(join(repository, 'build/debian-root.tar'), root);
    for (const step of wholeStage(stages, 'build').steps) {
      if (step.verb !== 'RUN' || !step.text.includes('/out')) continue;
      await must(['sh', '-euc', step.text.replaceAll('/out', built)]);
    }
    for (const { verb, text } of wholeStage(stages, 'demo').steps) {
      const [, from, to] = /^--from=build \/out(\S*) (\S+)$/.exec(text) ?? [];
      if (verb === 'COPY' && from !== undefined)
        cpSync(join(built, from), join(root, to!), { recursive: true });
      if (verb === 'RUN') assert.match(text, /^apt-get update && xargs apt-get install .* <\/tmp\/packages /);
    }
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  async function must(command: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await exec(command, { timeoutMs: DEADLINE_MS });
    assert.equal(exitCode, 0, `${command.join(' ')}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** The command line that runs a container. `network` is a namespace, else it has one of its own. */
  function entering(container: Container, network: string | null): string[] {
    const { command, env, privileged, capabilities } = container;
    const kept = capabilities.map((name) => `+${name.toLowerCase()}`).join(',');
    const rights = privileged
      ? []
      : ['setpriv', '--bounding-set', `-all,${kept}`, '--inh-caps', `-all,${kept}`, '--'];
    const variables = Object.entries({ ...env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }).map(
      ([name, value]) => `${name}=${value}`,
    );
    return [
      ...(network === null ? [] : ['nsenter', `--net=/run/netns/${network}`]),
      ...['unshare', '--mount', '--pid', '--ipc', '--uts', ...(network === null ? ['--net'] : [])],
      ...[
        '--fork',
        '--kill-child',
        'sh',
        '-euc',
        ENTER,
        'enter',
        root,
        privileged ? 'privileged' : 'bounded',
      ],
      network === null ? '-' : join(scratch, 'bpffs'),
      ...['chroot', root, ...rights, 'env', '-i', ...variables, ...command],
    ];
  }

  test('it has the packages that it names, no build tool, and little of our own', async () => {
    const listed = ['packages', 'packages-demo'].flatMap((name) =>
      readFileSync(join(deploy, 'container', name), 'utf8')
        .trim()
        .split('\n'),
    );
    await must(['chroot', root, 'dpkg-query', '--status', ...listed]);
    const found = BUILD_TOOLS.filter((tool) =>
      ['usr/bin', 'usr/local/bin', 'usr/lib/bng/bin'].some((folder) => existsSync(join(root, folder, tool))),
    );
    assert.deepEqual(found, []);
    const sources = await must([
      'find',
      built,
      '(',
      '-name',
      '*.ts',
      '-o',
      '-name',
      '*.cc',
      '-o',
      '-name',
      '*.c',
      ')',
    ]);
    assert.equal(sources, '');
    const [mebibytes = ''] = (await must(['du', '-sm', built])).split('\t');
    assert.ok(Number(mebibytes) < MOST_MIB, `${mebibytes} MiB`);
  });

  test('bng demo comes true in it, and its metrics are at the port of the pod, as deploy/kubernetes/overlays/demo has it', async () => {
    const own = containerOf(manifest(demo, 'Deployment bng-demo'), 'containers');
    const container = { ...own, env: { ...own.env, SUBSCRIBERS: '1', DURATION: '15' } };
    const log = join(scratch, 'demo.log');
    const lines: string[] = [];
    const child = new Child(entering(container, null), {
      logFile: log,
      onStdoutLine: (line) => lines.push(line),
    });
    try {
      await eventually(
        'the end of the story',
        () => {
          assert.ok(child.isRunning, `${lines.join('\n')}\n${readFileSync(log, 'utf8')}`);
          return lines.some((line) => line.startsWith('The lab stays up')) ? true : null;
        },
        DEADLINE_MS,
      );
      const pid = (await must(['pgrep', '-f', 'bng.js demo --subscribers 1'])).split('\n')[0] ?? '';
      const metrics = await must([
        'nsenter',
        '--target',
        pid,
        '--net',
        'curl',
        '-sS',
        '--noproxy',
        '*',
        'http://127.0.0.1:9090/metrics',
      ]);
      assert.match(metrics, /^bng_sessions/m);
      assert.doesNotMatch(lines.join('\n'), / FAILED | ✗/);
    } finally {
      await child.stop('SIGTERM', 20_000);
    }
  });

  test('the DaemonSet’s BNG serves with its five capabilities and a read-only /proc/sys, after its init container', async () => {
    await must(['sh', '-euc', HOST]);
    mkdirSync(join(scratch, 'bpffs'));
    await must(['mount', '-t', 'bpf', 'bpf', join(scratch, 'bpffs')]);
    const data = (manifest(example, 'ConfigMap bng-config') as { data: Record<string, string> }).data;
    mkdirSync(join(root, 'etc/bng'), { recursive: true });
    writeFileSync(join(root, 'etc/bng/bng.yaml'), data['bng.yaml']!);
    mkdirSync(join(root, 'etc/bng-secrets'), { recursive: true });
    writeFileSync(join(root, 'etc/bng-secrets/api.token'), 'a-token', { mode: 0o400 });
    const set = manifest(example, 'DaemonSet bng');
    await must(entering(containerOf(set, 'initContainers'), 'node'));
    const log = join(scratch, 'bng.log');
    const bng = new Child(entering(containerOf(set, 'containers'), 'node'), { logFile: log });
    try {
      await eventually(
        'a BNG that is ready',
        async () => {
          assert.ok(bng.isRunning, readFileSync(log, 'utf8'));
          const probe = ['curl', '-sS', '--noproxy', '*', '-o', '/dev/null', '-w', '%{http_code}'];
          const { stdout } = await exec([...probe, 'http://127.0.0.1:8080/readyz'], { namespace: 'node' });
          return stdout === '200' ? true : null;
        },
        DEADLINE_MS,
      );
    } finally {
      await bng.stop('SIGTERM', 20_000);
      await exec(['umount', join(scratch, 'bpffs')]);
    }
  });
});

/** A node: two cards of a machine that no BNG has touched. */
const HOST = `
ip netns add node
ip -n node link set lo up
for side in access core; do
  ip -n node link add \${side}0 type veth peer name \${side}1
  ip netns exec node ethtool -K \${side}1 tx off txvlan off >/dev/null
  for end in 0 1; do ip -n node link set $side$end up; done
done
ip -n node addr add 192.0.2.1/24 dev core0
`;
