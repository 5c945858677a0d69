/** How long a subscriber waits: the lab of the demo, ten ONTs with real DHCP clients, from the plug to the ISP lease. */
import type { OntHost } from '../../src/lab/ont-host.js';
import { Lab, removeLab } from '../../src/lab/lab.js';
import { LAB_VLANS, LabBng } from '../../src/lab/lab-bng.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import type { Figure } from './figure.js';

const LEASE_DEADLINE_MS = 20_000;
const ONTS = 10;

interface Times {
  readonly lab: number[];
  readonly bng: number[];
  readonly plug: number[];
  readonly garden: number[];
  readonly order: number[];
  readonly isp: number[];
}

export async function benchSetup(context: BenchContext): Promise<readonly Figure[]> {
  const times: Times = { lab: [], bng: [], plug: [], garden: [], order: [], isp: [] };
  for (let run = 0; run < (context.quick ? 1 : 3); run++) {
    context.progress(`run ${run + 1}`);
    await once(context, times);
  }
  const figure = (name: string, values: number[], note?: string): Figure => ({
    bench: 'setup',
    name,
    unit: 'ms',
    values,
    ...(note === undefined ? {} : { note }),
  });
  return [
    figure('lab: namespaces, core, access node', times.lab),
    figure('bng run until ready', times.bng),
    figure('plugging an ONT', times.plug, 'namespace, link, provisioning: the lab, not the BNG'),
    figure('ONT plugged → lease in the garden', times.garden, 'udhcpc'),
    figure('order answered', times.order, 'POST /api/v1/activate, the ONT reconfigured'),
    figure('order → lease of the ISP', times.isp, 'the link bounces, 50 ms, and udhcpc asks anew'),
  ];
}

async function once(context: BenchContext, times: Times): Promise<void> {
  const prefix = `${context.prefix}u`;
  context.onClose(() => removeLab(prefix));
  const lab = await timed(times.lab, () => Lab.create({ prefix, gardenSVlan: LAB_VLANS.wgar }));
  context.onClose(() => lab.close());
  const bng = await timed(times.bng, () => LabBng.start(lab));
  const onts: OntHost[] = [];
  for (let n = 1; n <= ONTS; n++) {
    const ont = await timed(times.plug, () =>
      lab.plug({
        ontSerial: `BNCH${String(n).padStart(8, '0')}`,
        port: `1/1/${n}`,
        tagging: 'qinq',
        cVlan: n,
        client: 'udhcpc',
      }),
    );
    await timed(times.garden, () => leaseOf(ont, 'garden', (address) => address.startsWith('10.255.')));
    onts.push(ont);
  }
  for (const ont of onts) {
    await timed(times.isp, async () => {
      const answer = await timed(times.order, () =>
        bng.post('/api/v1/activate', {
          ont_serial: ont.ontSerial,
          service_id: 'home-100',
          pool: 'isp-residential',
          qos_download_bps: 100_000_000,
          qos_upload_bps: 50_000_000,
        }),
      );
      if (answer.status !== 200) {
        throw new BngError('BNG_ERR_LAB', 'expected the order to be accepted', {
          status: answer.status,
          body: JSON.stringify(answer.body),
        });
      }
      await leaseOf(ont, 'ISP', (address) => !address.startsWith('10.255.'));
    });
  }
  await lab.close();
}

async function leaseOf(ont: OntHost, where: string, fits: (address: string) => boolean): Promise<void> {
  const lease = await ont.waitForLease(LEASE_DEADLINE_MS, ({ address }) => fits(address));
  if (lease === null) {
    throw new BngError('BNG_ERR_LAB', 'expected a lease', { where, ontSerial: ont.ontSerial });
  }
}

async function timed<T>(into: number[], run: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const value = await run();
  into.push(performance.now() - began);
  return value;
}
