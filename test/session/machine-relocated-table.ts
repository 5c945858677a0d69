/** A part of the machine's table: a subscriber whose address is another one now, and who still has the one of before. */
import type { Table } from './machine-table.js';

export const relocatedTable: Table = {
  'active none held': {
    discover: 'active isp offered held isp-2 | offer isp, watch-unbound',
    'request garden': 'active isp none held isp-2 | nak isp',
    'request home': 'active isp none held isp-2 ?moving |  | ask remove',
    'renew garden': 'active isp none held isp-2 | nak isp',
    'renew home': 'active isp none held isp-2 ?moving |  | ask remove',
    'renew home elsewhere': 'active isp none held isp-2 ?moving |  | ask remove',
    'request stranger': 'active isp none held isp-2 | nak isp',
    'inform home': 'active isp none held isp-2 | inform isp-2',
    'release garden': 'active isp none held isp-2 | silence',
    'release home': 'active isp none held isp-2 | silence',
    'release home elsewhere': 'active isp none held isp-2 | silence',
    'decline garden': 'active isp none held isp-2 | silence',
    'activate home': 'active isp none held isp-2 | order-done',
    'activate faster': 'active isp none held isp-2 | assign isp, lease-reprofiled isp, order-done',
    'activate business': 'active isp none held isp-2 | refused conflict',
    suspend: 'active isp none held isp-2 ?allocating |  | ask allocate',
    resume: 'active isp none held isp-2 | order-done',
    terminate: 'active isp none held isp-2 ?closing |  | ask remove',
    'change rates': 'active isp none held isp-2 | assign isp, lease-reprofiled isp, order-done',
    'change to the garden': 'active isp none held isp-2 ?allocating |  | ask allocate',
    'change to business': 'active isp none held isp-2 ?allocating |  | ask allocate',
    'held-expired': 'active isp none held isp-2 ?dropping-held |  | ask remove',
    reprovision: 'active isp none held isp-2 ?provisioning |  | ask reconfigure',
    relocate: 'active isp none held isp-2 ?relocating |  | ask allocate',
    end: 'active isp none held isp-2 ?closing |  | ask remove',
  },
};
