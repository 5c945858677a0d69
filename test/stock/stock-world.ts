/**
 * A gateway between a subscriber's side and a core for the tests of a stock kernel: the namespaces, the dataplane, subscribers behind
 * VLAN devices of the kernel. The two links come from the test. Holds no assertions.
 */
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { SubscriberEntry } from '../../src/dataplane/port.js';
import { type Child, startReadyChild } from '../../src/lab/exec.js';
import { patience } from '../../src/lab/patience.js';
import { parseIpv4 } from '../../src/model/ipv4.js';
import { parseMac } from '../../src/model/mac.js';
import { holderOptions } from '../lab/dataplane-holder-options.js';
import { run, runIn } from '../lab/dataplane-world.js';

export const BNG = 'stock-bng';
export const SUBSCRIBERS = 'stock-sub';
export const CORE = 'stock-core';
export const INTERNET = '198.51.100.7';
const MAC = '02:00:00:00:00:11';

/** A line on the subscriber's side: a device of the kernel that tags, and an address behind it. */
export interface Line {
  readonly address: string;
  readonly sVlan: number;
  readonly cVlan: number;
  /** Protocol of the outer device. */
  readonly outer: '802.1ad' | '802.1Q';
}

export class StockWorld {
  readonly dataplane: KernelDataplane;
  readonly warnings: readonly string[];

  private constructor(dataplane: KernelDataplane, warnings: readonly string[]) {
    this.dataplane = dataplane;
    this.warnings = warnings;
  }

  /**
   * Opens the dataplane between `access0` and `core0` of this namespace; `sub0` in SUBSCRIBERS and `net0` in CORE are the far ends.
   * The core's link is 192.0.2.0/24, INTERNET lies behind it.
   */
  static async open(): Promise<StockWorld> {
    run('ip link set core0 up; ip addr add 192.0.2.1/24 dev core0; ip route add default via 192.0.2.2');
    // What is merged before it is counted would be fewer packets.
    runIn(SUBSCRIBERS, `ethtool -K sub0 gro off; ip link set sub0 address ${MAC} mtu 1508 up`);
    runIn(
      CORE,
      `ip link set net0 up; ip addr add 192.0.2.2/24 dev net0; ip addr add ${INTERNET}/32 dev lo
       ip route add 10.0.0.0/8 via 192.0.2.1`,
    );
    const warnings: string[] = [];
    const { pinPath: _, ...options } = holderOptions({ pinPath: '', allow: [] });
    const dataplane = await KernelDataplane.open({
      ...options,
      deadlineMs: 5_000 * patience,
      binding: loadNative(),
      onWarning: (warning) => warnings.push(warning),
    });
    return new StockWorld(dataplane, warnings);
  }

  /** Makes the devices of a line on the subscriber's side, counts its IP packets there by nft, and gives its entry. */
  plug(line: Line, change: Partial<SubscriberEntry> = {}): SubscriberEntry {
    const { address, sVlan, cVlan, outer } = line;
    const name = `line${sVlan}`;
    runIn(
      SUBSCRIBERS,
      cVlan === 0
        ? `ip link add link sub0 name ${name} type vlan proto ${outer} id ${sVlan}`
        : `ip link add link sub0 name outer${sVlan} type vlan proto ${outer} id ${sVlan}
           ip link set outer${sVlan} mtu 1504 up
           ip link add link outer${sVlan} name ${name} type vlan proto 802.1Q id ${cVlan}`,
    );
    runIn(
      SUBSCRIBERS,
      `ip link set ${name} mtu 1500 up; ip addr add ${address}/32 dev ${name}
       ip route add 10.0.0.1 dev ${name} src ${address} table ${sVlan}
       ip route add default via 10.0.0.1 dev ${name} src ${address} table ${sVlan} onlink
       ip rule add from ${address} table ${sVlan}
       nft "table ip count { chain in { type filter hook prerouting priority -300; ip daddr ${address} counter; }; }"
       nft "table ip count { chain out { type filter hook output priority 300; ip saddr ${address} counter; }; }"`,
    );
    return {
      address: parseIpv4(address),
      attachment: {
        ifindex: loadNative().interfaceIndex('access0'),
        sVlan,
        cVlan,
        mac: parseMac(MAC),
        sTpid: outer === '802.1ad' ? 0x88a8 : 0x8100,
        ...(cVlan !== 0 && { cTpid: 0x8100 }),
      },
      walled: false,
      downloadBitsPerSecond: 0,
      uploadBitsPerSecond: 0,
      ...change,
    };
  }

  /** IP packets and bytes as the subscriber's own stack counts them: arrived and sent. */
  counted(address: string): { readonly down: bigint; readonly up: bigint; readonly downBytes: bigint } {
    const listing = runIn(SUBSCRIBERS, 'nft list table ip count');
    const of = (direction: string): readonly bigint[] => {
      const [, packets = '0', bytes = '0'] =
        new RegExp(`${direction} ${address} counter packets (\\d+) bytes (\\d+)`).exec(listing) ?? [];
      return [BigInt(packets), BigInt(bytes)];
    };
    const [down = 0n, downBytes = 0n] = of('daddr');
    return { down, downBytes, up: of('saddr')[0] ?? 0n };
  }

  async close(): Promise<void> {
    await this.dataplane.close();
  }
}

/** Sends `bytes` to whoever connects to TCP port 9000 of INTERNET, until it is stopped. */
export function serveBytes(bytes: number): Promise<Child> {
  const script = `const net = require('net');
    net.createServer((s) => { s.on('error', () => {}); s.end(Buffer.alloc(${bytes}, 0x61)); })
      .listen(9000, () => console.log('ready'));`;
  return startReadyChild([process.execPath, '-e', script], {
    namespace: CORE,
    logFile: '/run/stock-server.log',
    readyTimeoutMs: 15_000 * patience,
  });
}

/** Reads everything from port 9000 with `address` as its own; gives the bytes, and the seconds it took. */
export function download(address: string): { readonly bytes: number; readonly seconds: number } {
  const script = `const began = performance.now(); let n = 0;
    require('net').connect({ host: '${INTERNET}', port: 9000, localAddress: '${address}' })
      .on('data', (d) => { n += d.length; })
      .on('close', () => console.log(JSON.stringify({ bytes: n, seconds: (performance.now() - began) / 1000 })))
      .on('error', (e) => console.error(e.code));`;
  return JSON.parse(runIn(SUBSCRIBERS, `${process.execPath} -e "${script.replaceAll('\n', ' ')}"`)) as {
    readonly bytes: number;
    readonly seconds: number;
  };
}
