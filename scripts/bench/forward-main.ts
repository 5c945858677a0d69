/**
 * Live frames that arrive on the access port, carried to the core port in one way after the other, counted where they come
 * out. All that is done for a frame is done on the CPU that runs this, from the frame's making to its end behind the
 * link: also by the kernel's own forwarding, which gets the frames in batches, as from a good driver.
 */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { execOrThrow, shell } from '../../src/lab/exec.js';
import { BngError } from '../../src/model/bng-error.js';
import { formatIpv4 } from '../../src/model/ipv4.js';
import { tellParent } from './bench-context.js';
import { addressOf, RANDOM_SUBSCRIBERS, taggedFrame, untaggedFrame } from './packet-cases.js';
import { openPacketObject, writeCase } from './packet-object.js';

const settingsSchema = z.strictObject({
  objectPath: z.string(),
  /** drop.bpf.c, compiled. */
  dropPath: z.string(),
  accessInterface: z.string(),
  coreInterface: z.string(),
  peerNamespace: z.string(),
  /** The far end of the core link, in there. */
  peerInterface: z.string(),
  runs: z.int(),
  frames: z.int(),
});
const settings = settingsSchema.parse(JSON.parse(process.argv[2] ?? ''));

interface Way {
  readonly name: string;
  readonly program: string;
  readonly frame: Uint8Array;
  /** `enum bench_vary` of packet.bpf.c. */
  readonly vary: 0 | 1 | 5;
  /** Whether frames come out by XDP, where a program has to take them; else their MAC address is nobody's there. */
  readonly xdp: boolean;
  readonly rules: boolean;
}

const KINDS = [
  { name: 'XDP', program: 'bench_access', frame: taggedFrame(), vary: 1, xdp: true, rules: false },
  {
    name: 'bare redirect',
    program: 'bench_redirect',
    frame: untaggedFrame(),
    vary: 5,
    xdp: true,
    rules: false,
  },
  { name: 'kernel', program: 'bench_restore', frame: untaggedFrame(), vary: 5, xdp: false, rules: false },
  {
    name: 'kernel with set and counters',
    program: 'bench_restore',
    frame: untaggedFrame(),
    vary: 5,
    xdp: false,
    rules: true,
  },
] as const satisfies readonly Way[];
const WAYS: readonly Way[] = KINDS.flatMap((kind): Way[] => [
  { ...kind, name: `${kind.name}, one hot subscriber`, vary: 0 },
  { ...kind, name: `${kind.name}, 100,000 random` },
]);

/** Lost on the way: more of them and the rate is not that of the path. */
const MOST_LOST = 0.02;
const FRAMES_AT_ONCE = 20_000;
const SETTLE_MS = 50;
const NFT_TIMEOUT_MS = 60_000;

const linksSchema = z.array(z.object({ stats64: z.object({ rx: z.object({ packets: z.number() }) }) }));

async function arrived(): Promise<number> {
  const { peerNamespace, peerInterface } = settings;
  const text = await execOrThrow(['ip', '-j', '-s', 'link', 'show', 'dev', peerInterface], {
    namespace: peerNamespace,
  });
  return linksSchema.parse(JSON.parse(text))[0]?.stats64.rx.packets ?? 0;
}

/** What a gateway made of the stack needs at least: who may pass, and what each has sent. */
async function addRules(): Promise<void> {
  const members = Array.from({ length: RANDOM_SUBSCRIBERS }, (_, n) => formatIpv4(addressOf(n)));
  const file = `/run/forward-bench-${process.pid}.nft`;
  writeFileSync(
    file,
    `table inet bench {
  set subscribers { type ipv4_addr; size 131072; counter; elements = { ${members.join(', ')} }
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    ip saddr @subscribers accept
  }
}
`,
  );
  await execOrThrow(['nft', '-f', file], { timeoutMs: NFT_TIMEOUT_MS });
  await execOrThrow(['rm', file]);
}

async function prepare(way: Way): Promise<void> {
  const { peerNamespace, peerInterface, dropPath } = settings;
  const program = way.xdp ? `obj ${dropPath} sec xdp` : 'off';
  await shell(`ip -force link set dev ${peerInterface} xdpdrv ${program}`, { namespace: peerNamespace });
  if (way.rules) await addRules();
}

const { object, accessIfindex, coreIfindex } = openPacketObject(settings);

/**
 * Million packets a second of CPU time, which others on the machine cannot take away. What is done in softirqs for a
 * frame is in it, as long as the kernel does not account that apart (CONFIG_IRQ_TIME_ACCOUNTING).
 */
async function measure(way: Way): Promise<number> {
  const { frames } = settings;
  await prepare(way);
  writeCase(object, { ...way, shift: 0 }, { coreIfindex, growth: 0 });
  const program = object.program(way.program);
  const before = await arrived();
  const began = process.cpuUsage();
  for (let sent = 0; sent < frames; sent += FRAMES_AT_ONCE) {
    const repeat = Math.min(FRAMES_AT_ONCE, frames - sent);
    program.testRun({ data: way.frame, repeat, ingressIfindex: accessIfindex, liveFrames: true });
  }
  const { user, system } = process.cpuUsage(began);
  await sleep(SETTLE_MS);
  const out = (await arrived()) - before;
  if (way.rules)
    await execOrThrow(['nft', 'delete', 'table', 'inet', 'bench'], { timeoutMs: NFT_TIMEOUT_MS });
  if (out < frames * (1 - MOST_LOST) || out > frames * (1 + MOST_LOST)) {
    throw new BngError('BNG_ERR_LAB', 'expected the frames to come out', { way: way.name, out, frames });
  }
  return out / (user + system);
}

await execOrThrow(['taskset', '-cp', `${cpus().length - 1}`, `${process.pid}`]);
const rates: Record<string, number[]> = {};
for (let run = 0; run < settings.runs; run++) {
  tellParent({ progress: `run ${run + 1} of ${settings.runs}` });
  for (const way of WAYS) (rates[way.name] ??= []).push(await measure(way));
}
object.close();
tellParent({ result: rates });
