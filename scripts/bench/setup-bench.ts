/** How long a subscriber waits: the lab of the demo, ONTs with real DHCP clients, from the plug to the ISP lease. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OntHost } from '../../src/lab/ont-host.js';
import { Lab } from '../../src/lab/lab.js';
import { removeLab } from '../../src/lab/lab-removal.js';
import { LAB_VLANS, LabBng } from '../../src/lab/lab-bng.js';
import { BngError } from '../../src/model/bng-error.js';
import type { BenchContext } from './bench-context.js';
import type { Figure } from './figure.js';

const LEASE_DEADLINE_MS = 20_000;
/** The customers' equipment. dhclient is there to show how much of the wait is udhcpc's own. */
const CLIENTS: readonly Client[] = [
  ...Array<Client>(10).fill('udhcpc'),
  ...Array<Client>(3).fill('dhclient'),
];
const ORDER_GAP_MS = 300;

type Client = 'udhcpc' | 'dhclient';

interface Times {
  readonly lab: number[];
  readonly bng: number[];
  readonly plug: number[];
  readonly order: number[];
  readonly garden: Readonly<Record<Client, number[]>>;
  readonly isp: Readonly<Record<Client, number[]>>;
}

export async function benchSetup(context: BenchContext): Promise<readonly Figure[]> {
  const times: Times = {
    lab: [],
    bng: [],
    plug: [],
    order: [],
    garden: { udhcpc: [], dhclient: [] },
    isp: { udhcpc: [], dhclient: [] },
  };
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
    figure('ONT plugged → lease in the garden, udhcpc', times.garden.udhcpc),
    figure('ONT plugged → lease in the garden, dhclient', times.garden.dhclient),
    figure('order answered', times.order, 'POST /api/v1/activate, the ONT reconfigured'),
    figure(
      'order → lease of the ISP, udhcpc',
      times.isp.udhcpc,
      'the link bounces for 50 ms; 1 s until udhcpc asks and 3 s that it sleeps after the NAK are its own',
    ),
    figure('order → lease of the ISP, dhclient', times.isp.dhclient),
  ];
}

async function once(context: BenchContext, times: Times): Promise<void> {
  const prefix = `${context.prefix}u`;
  context.onClose(() => removeLab(prefix));
  const lab = await timed(times.lab, () => Lab.create({ prefix, gardenSVlan: LAB_VLANS.wgar }));
  context.onClose(() => lab.close());
  const bng = await timed(times.bng, () => LabBng.start(lab));
  const onts: OntHost[] = [];
  for (const [index, client] of CLIENTS.entries()) {
    const n = index + 1;
    const ont = await timed(times.plug, () =>
      lab.plug({
        ontSerial: `BNCH${String(n).padStart(8, '0')}`,
        port: `1/1/${n}`,
        tagging: 'qinq',
        cVlan: n,
        client,
      }),
    );
    await timed(times.garden[client], () =>
      leaseOf(ont, 'garden', (address) => address.startsWith('10.255.')),
    );
    onts.push(ont);
  }
  // Begun one after another, waited for together: each takes seconds, nearly all of them the client's own.
  const ordered: Promise<void>[] = [];
  for (const [index, ont] of onts.entries()) {
    const into = times.isp[CLIENTS[index] ?? 'udhcpc'];
    ordered.push(timed(into, () => order(bng, ont, times)));
    await sleep(ORDER_GAP_MS);
  }
  await Promise.all(ordered);
  await lab.close();
}

async function order(bng: LabBng, ont: OntHost, times: Times): Promise<void> {
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
