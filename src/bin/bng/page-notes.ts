/** What the manual page of bng says beyond its commands. Text only. */
import type { PageNotes } from '../bngctl/man-page.js';

export const BNG_PAGE: PageNotes = {
  about: 'Broadband Network Gateway',
  description: [
    'The control plane of a broadband network gateway: DHCP, authentication and accounting here, forwarding in the kernel (XDP, nftables).',
    'What forwards outlives the process: it goes on through a stop, a crash and an upgrade, and the next start takes it over.',
    'Only the option --teardown of run takes it away.',
    'As a service, bng runs as a user of its own with five capabilities; see bng.service.',
  ],
  exitStatus: [
    ['0', 'done'],
    ['1', 'something failed or did not come true'],
    ['2', 'bad usage or configuration'],
  ],
  files: [
    ['/etc/bng/bng.yaml', 'the configuration'],
    ['/etc/bng/api.token', 'the bearer token of the API'],
    ['/var/lib/bng', 'sessions, leases and accounting records'],
    ['/run/bng/bng.sock', 'the API for root on this machine'],
    ['/sys/fs/bpf/bng', 'pinned maps and programs, which outlive the process'],
  ],
  examples: [
    ['bng check', 'is the configuration sound?'],
    ['bng doctor', 'is the machine fit for it?'],
    ['systemctl enable --now bng', 'serve, now and after each boot'],
    ['bng demo', 'a whole ISP on this machine, gone when it ends'],
    ['bng run --teardown', 'leave nothing behind'],
  ],
};
