/**
 * A process that holds a kernel dataplane, to be killed: opens it as its argument (JSON) says and does what its parent asks over
 * IPC. Decides and asserts nothing.
 */
import { KernelDataplane } from '../../src/dataplane/kernel-dataplane.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { RemovalReceipt, SubscriberEntry } from '../../src/dataplane/port.js';
import type { Ipv4 } from '../../src/model/ipv4.js';
import { holderOptions, type HolderSettings } from './dataplane-holder-options.js';

export type HolderOrder =
  | { readonly verb: 'install'; readonly entry: SubscriberEntry }
  | { readonly verb: 'remove'; readonly address: Ipv4 }
  | { readonly verb: 'forget'; readonly receipts: readonly RemovalReceipt[] }
  | { readonly verb: 'reconcile'; readonly wanted: readonly SubscriberEntry[] }
  | { readonly verb: 'traffic'; readonly address: Ipv4 }
  | { readonly verb: 'dump' | 'verdicts' | 'drops' | 'warnings' | 'punts' | 'close' };

const settings = JSON.parse(process.argv[2] ?? '{}') as HolderSettings;
const warnings: string[] = [];
const punts: Uint8Array[] = [];
const dataplane = await KernelDataplane.open({
  ...holderOptions(settings),
  binding: loadNative(),
  onWarning: (warning) => warnings.push(warning),
});

async function obey(order: HolderOrder): Promise<unknown> {
  switch (order.verb) {
    case 'install':
      return dataplane.install(order.entry);
    case 'remove':
      return dataplane.remove(order.address);
    case 'forget':
      return dataplane.forget(order.receipts);
    case 'reconcile':
      return dataplane.reconcile(order.wanted);
    case 'traffic':
      return dataplane.traffic(order.address);
    case 'dump':
      return dataplane.dump();
    case 'verdicts':
      return dataplane.verdicts();
    case 'drops':
      return dataplane.drops();
    case 'warnings':
      return warnings;
    case 'punts':
      dataplane.onPunt(({ frame }) => punts.push(Uint8Array.from(frame)));
      await new Promise((resolve) => setTimeout(resolve, 50));
      return punts.length;
    case 'close':
      await dataplane.close();
      return null;
  }
}

process.on('message', (order: HolderOrder) => {
  void obey(order).then((answer) =>
    process.send?.({ answer }, () => (order.verb === 'close' ? process.exit() : null)),
  );
});
process.send?.({ answer: 'open' });
