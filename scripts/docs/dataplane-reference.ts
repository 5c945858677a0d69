/** docs/dataplane.md: the way of a packet, and the maps, verdicts and drop reasons as the BPF headers tell of them. */
import { readFileSync } from 'node:fs';
import { cell } from './markdown.js';

const HEAD = `<!-- Written by make docs from bpf/; do not edit. -->
# Dataplane

Three BPF programs carry everything; a subscriber is an entry in maps, not a network device. User space writes the entries and is not on the path of a packet.

\`\`\`
            access port (untagged, 802.1Q, QinQ)                       core port
 ONTs ───▶ ┌──────────────────────────────┐                 ┌──────────────────┐ ───▶ core
           │ XDP  bpf/access.bpf.c        │  forward_up     │                  │
           │  ARP for a gateway ─▶ answer │ ═══════════════▶│ out, untagged    │
           │  DHCP ─▶ answer, or punt ────┼──┐              │                  │
           │  IPv4: source guard, garden, │  │ forward_down │ XDP              │
           │  policer, FIB, counters      │  │ ◀═══════════ │ bpf/core.bpf.c   │ ◀─── core
           └───────┬──────────────────────┘  │              │  destination ─▶  │
                   │ stack_up                │ punt         │  garden, policer │
                   ▼                         ▼              │  tags, counters  │
           ┌───────────────┐         ┌──────────────┐       └────────┬─────────┘
           │ kernel's stack│         │ bng (user    │     stack_down,│foreign
           │ + nftables    │◀────────┼─ space): DHCP│◀───────────────┘
           └───────┬───────┘         │  sessions,   │
                   │ tc egress       │  RADIUS, API │
                   ▼                 └──────────────┘
           bpf/egress.bpf.c: tags, policer, counters ───▶ ONTs
\`\`\`

- **Source guard**: a packet is looked up by its source address; the entry says which line (interface, tags) and MAC may use it.
- **Walled garden**: one policy, rendered twice: \`bng_garden\` for XDP, an nftables set for what reaches the stack. A property test holds the two together.
- **Policers**: one bucket for each direction of each subscriber, in bytes; \`qos.burstMs\` is its depth.
- **Slow path**: what XDP cannot finish (no neighbour yet, TTL 1, IP options, too long, our own services) goes to the stack, untagged, and comes back through \`bng_egress\`.
- **Counting**: a packet counts once, where it is accepted upstream and where it leaves downstream; every frame ends in one verdict, every drop in one reason.
- **Tracing**: \`bngctl trace LINE\` switches on records of single frames of that line, upstream and downstream: 20 a second that pass and 20 that are dropped. Off, it costs
  each frame two loads; the kernel switches it off by itself five seconds after whoever traces has gone.
- **Without user space**: programs and maps are pinned below \`dataplane.pinPath\`. They go on forwarding when the process ends, whatever the reason, and the next one
  adopts them; \`bng run --teardown\` removes them.

See them live:

\`\`\`sh
bngctl maps
bngctl map bng_subscribers
bngctl drops
bngctl nft
bngctl --json counters | jq .
\`\`\`
`;

/** The whole document. */
export function dataplaneReference(): string {
  const abi = readFileSync('bpf/bng_abi.h', 'utf8');
  const maps = readFileSync('bpf/maps.h', 'utf8');
  return [
    HEAD,
    `## Maps\n\n| Map | What for |\n|---|---|\n${mapRows(maps).join('\n')}\n`,
    `## Verdicts\n\nEach frame has one, counted in \`bng_verdicts\`.\n\n${enumTable(abi, 'bng_verdict', 'BNG_VERDICT_')}\n`,
    `## Drop reasons\n\nEach dropped frame has one, counted in \`bng_drops\`.\n\n${enumTable(abi, 'bng_drop_reason', 'BNG_DROP_')}\n`,
  ].join('\n');
}

/** A table of an enum: names as bngctl and the metrics have them, and the comments beside them. */
function enumTable(header: string, name: string, prefix: string): string {
  const body = new RegExp(`^enum ${name} \\{\n(.*?)^\\};`, 'ms').exec(header)?.[1] ?? '';
  const values = body.matchAll(new RegExp(`^\\s*${prefix}(\\w+) = \\d+,[ \\t]*(?:/\\* (.*?) \\*/)?`, 'gms'));
  const rows = [...values]
    .filter(([, value = '']) => value !== 'COUNT')
    .map(
      ([, value = '', meaning]) =>
        `| \`${value.toLowerCase()}\` | ${cell(meaning ?? value.toLowerCase().replaceAll('_', ' '))} |`,
    );
  if (rows.length === 0) throw new Error(`no values of ${name} in bpf/bng_abi.h`);
  return ['| Name | Meaning |', '|---|---|', ...rows].join('\n');
}

/** The maps in the order of the header; one without a comment of its own shares that of the map before it. */
function mapRows(header: string): string[] {
  const found = header.matchAll(
    /(?:\/\*((?:(?!\*\/).)*)\*\/\n)?struct \{\n(?:(?!^\}).)*^\} (bng_\w+) SEC/gms,
  );
  let last = '';
  const rows = [...found].map(([, comment, name = '']) => {
    last = comment === undefined ? last : comment.replace(/\s*\n \* ?/g, ' ').trim();
    return `| \`${name}\` | ${cell(last)} |`;
  });
  if (rows.length === 0) throw new Error('no maps in bpf/maps.h');
  return rows;
}
