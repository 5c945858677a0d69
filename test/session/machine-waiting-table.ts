/** The part of the machine's table where a question is out; see machine-table.ts for how it is written. */
import type { Table } from './machine-table.js';

/** While a question is out: its answers. Every other event waits in the queue and changes nothing. */
export const waitingTable: Table = {
  moving: {
    removed:
      'activating isp offered ?binding | held@off, lease-ended wgar NAS-Request 4, free wgar | ask install open 200',
    'remove-failed': 'activating isp offered held wgar | trouble, silence',
  },
  binding: {
    installed: 'active isp bound moved until 610000 | lease@610000, lease-started isp, ack isp',
    'install-failed': 'activating isp none | trouble, silence',
  },
  'binding in the garden': {
    installed: 'wgar wgar bound until 610000 | lease@610000, lease-started wgar, ack wgar',
    'install-failed': 'wgar wgar offered | trouble, silence',
  },
  reattaching: {
    updated: 'active isp bound moved until 610000 | lease@610000, lease-renewed isp, ack isp',
    'update-failed': 'active isp bound until 20000 | trouble, silence',
  },
  releasing: {
    removed: 'active isp none | lease@off, lease-ended isp User-Request 4, watch-unbound',
    'remove-failed': 'active isp bound until 20000 | trouble',
  },
  'dropping-held': {
    removed: 'activating isp none | held@off, lease-ended wgar Lost-Carrier 4, free wgar, watch-unbound',
    'remove-failed': 'activating isp none held wgar | trouble',
  },
  declining: {
    'allocated home': 'wgar isp bound until 20000 | ',
    'allocated garden': 'wgar wgar bound until 20000 | ',
    'allocation-failed': 'wgar wgar bound until 20000 ?closing | trouble | ask remove',
    removed:
      'wgar wgar none ?declining | lease@off, lease-ended wgar User-Request 4, quarantine wgar | ask allocate',
    'remove-failed': 'wgar wgar bound until 20000 | trouble',
    'allocated other': 'wgar isp-2 bound until 20000 | ',
  },
  provisioning: {
    reconfigured: 'wgar wgar none | ',
    'reconfigure-failed': 'wgar wgar none | trouble',
  },
  'provisioning with a DISCOVER': {
    reconfigured: 'wgar wgar offered | offer wgar, watch-unbound',
    'reconfigure-failed': 'wgar wgar offered | trouble, offer wgar, watch-unbound',
  },
  'allocating for activate': {
    'allocated home': 'wgar wgar bound until 20000 ?reconfiguring |  | ask reconfigure',
    'allocated garden': 'wgar wgar bound until 20000 ?reconfiguring |  | ask reconfigure',
    'allocation-failed': 'wgar wgar bound until 20000 | refused failed',
    'allocated other': 'wgar wgar bound until 20000 ?reconfiguring |  | ask reconfigure',
  },
  'allocating for suspend': {
    'allocated home': 'active isp bound until 20000 ?walling |  | ask update walled 100',
    'allocated garden': 'active isp bound until 20000 ?walling |  | ask update walled 100',
    'allocation-failed': 'active isp bound until 20000 | refused failed',
    'allocated other': 'active isp bound until 20000 ?walling |  | ask update walled 100',
  },
  relocating: {
    'allocated home': 'active isp bound until 20000 | trouble',
    'allocated other': 'active isp-2 none held isp | lease@off, held@20000',
    'allocated garden': 'active wgar none held isp | lease@off, held@20000',
    'allocation-failed': 'active isp bound until 20000 | trouble',
  },
  'relocating, nothing in use': {
    'allocated home': 'terminated Service-Unavailable | trouble, free isp',
    'allocated other': 'active isp-2 none | free isp, lease@off, held@off',
    'allocated garden': 'active wgar none | free isp, lease@off, held@off',
    'allocation-failed': 'terminated Service-Unavailable | trouble, free isp',
  },
  'relocating, garden held': {
    'allocated home': 'activating isp none held wgar | trouble',
    'allocated other': 'activating isp-2 none held wgar | free isp, lease@off, held@20000',
    'allocated garden': 'activating wgar none held wgar | free isp, lease@off, held@20000',
    'allocation-failed': 'activating isp none held wgar | trouble',
  },
  walling: {
    updated: 'active isp bound until 20000 ?reconfiguring |  | ask reconfigure',
    'update-failed': 'active isp bound until 20000 | free wgar, refused failed',
  },
  'reconfiguring for activate': {
    reconfigured: 'activating isp none held wgar | assign isp, lease@off, held@20000, order-done',
    'reconfigure-failed': 'wgar wgar bound until 20000 | free isp, refused failed',
  },
  'reconfiguring for activate, no lease': {
    reconfigured: 'activating isp none | free wgar, assign isp, lease@off, held@off, order-done',
    'reconfigure-failed': 'wgar wgar offered | free isp, refused failed',
  },
  'reconfiguring for suspend': {
    reconfigured:
      'suspended wgar none held isp resume isp | assign wgar resume isp, lease@off, held@20000, order-done',
    'reconfigure-failed':
      'suspended wgar none held isp resume isp | trouble, assign wgar resume isp, lease@off, held@20000, order-done',
  },
  'reconfiguring for suspend, garden held': {
    reconfigured: 'activating isp none held wgar ?opening |  | ask update walled 100',
    'reconfigure-failed': 'activating isp none held wgar ?opening | trouble | ask update walled 100',
  },
  'reconfiguring for resume': {
    reconfigured: 'activating isp none held wgar | assign isp, lease@off, held@20000, order-done',
    'reconfigure-failed': 'suspended wgar bound until 20000 resume isp | free isp, refused failed',
  },
  'reconfiguring for resume, home held': {
    reconfigured: 'suspended wgar none held isp resume isp ?opening |  | ask update open 100',
    'reconfigure-failed': 'suspended wgar none held isp resume isp | refused failed',
  },
  reprofiling: {
    updated: 'active isp bound until 20000 | assign isp, lease-reprofiled isp, order-done',
    'update-failed': 'active isp bound until 20000 | refused failed',
  },
  'opening for resume': {
    updated:
      'active isp bound until 20000 | free wgar, assign isp, held@off, lease@20000, lease-reprofiled isp, order-done',
    'update-failed': 'suspended wgar none held isp resume isp | refused failed',
  },
  'opening for suspend': {
    updated:
      'suspended wgar bound until 20000 resume isp | free isp, assign wgar resume isp, held@off, lease@20000, lease-reprofiled wgar, order-done',
    'update-failed': 'activating isp none held wgar | refused failed',
  },
  closing: {
    removed: 'terminated Admin-Reset | lease-ended isp Admin-Reset 4, free isp, forget, order-done',
    'remove-failed': 'active isp bound until 20000 | trouble, refused failed',
  },
  'closing with a held lease': {
    removed: 'terminated Lost-Carrier | lease-ended wgar Lost-Carrier 4, free wgar, free isp',
    'remove-failed': 'activating isp none held wgar | trouble',
  },
};
