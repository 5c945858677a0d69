/** What the dataplane of dataplane-holder-main.ts is opened with. */
import { fileURLToPath } from 'node:url';
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import type { KernelDataplaneOptions } from '../../src/dataplane/kernel-parts.js';
import { systemClock } from '../../src/model/system-clock.js';
import { parseIpv4, parsePrefix } from '../../src/model/ipv4.js';

export interface HolderSettings {
  readonly pinPath: string;
  readonly allow: readonly string[];
  readonly xdpMode?: 'native' | 'generic';
  readonly pools?: readonly string[];
  readonly maxSubscribers?: number;
  readonly core?: string;
}

export const PORTAL = '10.255.0.1';
export const NFT_TABLE = 'ker-pins';

export function holderOptions(settings: HolderSettings): Omit<KernelDataplaneOptions, 'binding'> {
  return {
    objectPath: fileURLToPath(new URL('../../../build/bpf/bng.bpf.o', import.meta.url)),
    clock: systemClock,
    pinPath: settings.pinPath,
    access: { interfaces: ['access0'], xdpMode: settings.xdpMode ?? 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: [settings.core ?? 'core0'] },
    policy: compileGardenPolicy(
      {
        allow: settings.allow.map((address) => ({ prefix: parsePrefix(`${address}/32`), port: null })),
        resolvers: [],
        portal: { address: parseIpv4(PORTAL), port: 8000 },
        gateways: [parseIpv4('10.0.0.1'), parseIpv4(PORTAL)],
      },
      GARDEN_LIMITS,
    ),
    pools: (settings.pools ?? ['10.0.0', '10.255.0']).map((network) => ({
      network: parsePrefix(`${network}.0/24`),
      gateway: parseIpv4(`${network}.1`),
    })),
    burstMs: 100,
    localForwarding: false,
    maxSubscribers: settings.maxSubscribers ?? 16,
    nftTable: NFT_TABLE,
  };
}
