/** What the manual page of bngctl says beyond its commands. Text only. */
import type { PageNotes } from './man-page.js';
import { EXIT_MEANINGS } from './run.js';

export const BNGCTL_PAGE: PageNotes = {
  about: 'ask and order a running BNG',
  description: [
    'Asks a running BNG through its API: over its unix socket, which root may use without a token, or over HTTP with a bearer token.',
    'Tables fit the terminal; colours only where there is one, and not with NO_COLOR set.',
    'COLUMNS sets the width where the output is no terminal.',
  ],
  exitStatus: Object.entries(EXIT_MEANINGS),
  files: [
    ['/run/bng/bng.sock', 'the unix socket of the BNG, for root; used where nothing else is said'],
    ['/etc/bng/api.token', 'the bearer token for HTTP; readable by its owner only, else it is refused'],
    ['/sys/fs/bpf/bng', 'the pinned maps'],
  ],
  examples: [
    ['bngctl sessions --state active --sort -down', 'the active sessions, the fastest first'],
    ['bngctl session 10.0.0.9', 'everything about the subscriber with this address'],
    ['bngctl trace SIMU00000001', 'why does this line get no address?'],
    ['bngctl map bng_subscribers', 'what the kernel holds, also while no BNG runs'],
    ['bngctl --json pools | jq .pools[].utilization', 'for scripts'],
    ['eval "$(bngctl completion bash)"', 'completion in this shell'],
  ],
};
