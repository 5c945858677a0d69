/** Sets the metric families of AAA to what its report says, at each scrape. Keeps no total of its own. */
import type { Family, Sample } from './exposition.js';
import type { MetricCatalogue } from './metric-catalogue.js';
import { cumulative } from './radius-round-trip.js';
import { defineRadiusFamilies } from './radius-metric-families.js';
import type { RadiusMetricFamilies } from './radius-metric-families.js';
import type {
  AccountingQueueReport,
  CoaReport,
  RadiusReport,
  RadiusRole,
  RadiusServerReport,
} from './radius-report.js';

const CODE_OF: Readonly<Record<RadiusRole, string>> = { auth: 'Access-Request', acct: 'Accounting-Request' };

export class RadiusMetrics {
  readonly #families: RadiusMetricFamilies;

  constructor(catalogue: MetricCatalogue) {
    this.#families = defineRadiusFamilies(catalogue);
  }

  /** Sets every family in the registry, and gives the one that no registry can hold. */
  read(report: RadiusReport): Family {
    const { roundTrip, ...mirrored } = this.#families;
    for (const family of Object.values(mirrored)) family.reset();
    for (const server of report.servers) this.#readServer(server);
    this.#readQueue(report.accounting);
    this.#readCoa(report.coa);
    return {
      ...roundTrip,
      samples: report.servers.flatMap((server) => roundTripSamples(roundTrip.name, server)),
    };
  }

  #readServer(report: RadiusServerReport): void {
    const { requests, retransmissions, ignored, inFlight, serverUp } = this.#families;
    const server = report.name;
    const code = CODE_OF[report.role];
    for (const [outcome, count] of Object.entries(report.outcomes)) {
      requests.inc({ server, code, outcome }, count);
    }
    retransmissions.inc({ server }, report.retransmissions);
    for (const { reason, count } of report.ignored) ignored.inc({ server, reason }, count);
    inFlight.set({ server }, report.inFlight);
    serverUp.set({ server }, report.state === 'alive' ? 1 : 0);
  }

  /** Without a queue there are no series, rather than some that say 0: an alert on them must not sleep quietly. */
  #readQueue(queue: AccountingQueueReport | null): void {
    const { queueLength, queueUnsaved, queueOldest, outage, storeFailed, records, retries } = this.#families;
    if (queue === null) {
      for (const family of [queueLength, queueUnsaved, queueOldest, outage, storeFailed, retries])
        family.remove();
      return;
    }
    queueLength.set(queue.length);
    queueUnsaved.set(queue.unsaved);
    queueOldest.set(queue.oldestAgeMs / 1000);
    outage.set(queue.outage ? 1 : 0);
    storeFailed.set(queue.storeFailure === null ? 0 : 1);
    records.inc({ result: 'delivered' }, queue.delivered);
    records.inc({ result: 'superseded' }, queue.dropped.supersededInterim);
    records.inc({ result: 'unsendable' }, queue.dropped.unsendable);
    records.inc({ result: 'damaged' }, queue.dropped.damaged);
    retries.inc(queue.retried);
  }

  #readCoa(coa: CoaReport | null): void {
    const { coaRequests, coaDuplicates, coaDropped } = this.#families;
    if (coa === null) {
      coaDuplicates.remove();
      return;
    }
    coaDropped.inc({ reason: 'unknown-client' }, coa.unknownClients);
    for (const client of coa.clients) {
      coaDuplicates.inc(client.duplicates);
      for (const { code, answers } of client.requests) {
        // There from the start, as a rate over a series that begins at 1 misses its first event.
        coaRequests.inc({ code, outcome: 'ack' }, 0);
        for (const [outcome, count] of Object.entries(answers)) coaRequests.inc({ code, outcome }, count);
      }
      for (const [reason, count] of Object.entries(client.dropped)) coaDropped.inc({ reason }, count);
    }
  }
}

/** prom-client's histogram only observes one value at a time; ours arrive as buckets, and leave as they came. */
function roundTripSamples(
  family: string,
  { name: server, roundTrip }: RadiusServerReport,
): readonly Sample[] {
  const bounds = roundTrip.boundsMs.map((boundMs) => boundMs / 1000);
  const buckets = cumulative(roundTrip).map((count, index): Sample => {
    return { name: `${family}_bucket`, labels: { server, le: bounds[index] }, value: count };
  });
  return [
    ...buckets,
    { name: `${family}_bucket`, labels: { server, le: '+Inf' }, value: roundTrip.count },
    { name: `${family}_sum`, labels: { server }, value: roundTrip.sumMs / 1000 },
    { name: `${family}_count`, labels: { server }, value: roundTrip.count },
  ];
}
