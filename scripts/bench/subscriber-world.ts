/** The real dataplane and made-up subscribers for the parts of benches that need many of them. Measures nothing. */
import { compileGardenPolicy } from '../../src/dataplane/garden-policy.js';
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { GARDEN_LIMITS } from '../../src/dataplane/kernel-load.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { SubscriberEntry } from '../../src/dataplane/port.js';
import { systemClock } from '../../src/model/system-clock.js';
import { ipv4FromNumber, parseIpv4, parsePrefix } from '../../src/model/ipv4.js';
import type { Mac } from '../../src/model/mac.js';
import { tagsOf } from './ont-frames.js';

export interface BenchDataplaneSettings {
  readonly objectPath: string;
  readonly accessInterface: string;
  readonly coreInterface: string;
}

export interface BenchDataplane {
  readonly dataplane: KernelDataplane;
  /** The `n`-th subscriber, from 0: its address follows that of the one before. */
  readonly entry: (n: number, walled: boolean) => SubscriberEntry;
}

const FIRST_ADDRESS = parseIpv4('10.0.1.0');
const FIRST_MAC = 0x02_10_00_00_00_00;

/** Opens the dataplane in the present namespace; the caller closes it. */
export async function openBenchDataplane(settings: BenchDataplaneSettings): Promise<BenchDataplane> {
  const binding = loadNative();
  const ifindex = binding.interfaceIndex(settings.accessInterface);
  const dataplane = await KernelDataplane.open({
    binding,
    objectPath: settings.objectPath,
    clock: systemClock,
    access: { interfaces: [settings.accessInterface], xdpMode: 'native', sTpid: 0x88a8, cTpid: 0x8100 },
    core: { interfaces: [settings.coreInterface] },
    policy: compileGardenPolicy(
      {
        allow: [{ prefix: parsePrefix('203.0.113.10/32'), port: null }],
        resolvers: [parseIpv4('8.8.8.8')],
        portal: { address: parseIpv4('10.0.0.1'), port: 80 },
        gateways: [parseIpv4('10.0.0.1')],
      },
      GARDEN_LIMITS,
    ),
    pools: [{ network: parsePrefix('10.0.0.0/12'), gateway: parseIpv4('10.0.0.1') }],
    burstMs: 100,
    localForwarding: true,
    nftTable: 'bng',
  });
  return {
    dataplane,
    entry: (n, walled) => ({
      address: ipv4FromNumber(FIRST_ADDRESS + n),
      attachment: { ifindex, ...tagsOf(n), mac: (FIRST_MAC + n) as Mac },
      walled,
      downloadBitsPerSecond: 100_000_000,
      uploadBitsPerSecond: 50_000_000,
    }),
  };
}
