/** Sets the metric families of AAA to what its report says, at each scrape. Keeps no total of its own. */
import type { Registry } from 'prom-client';
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
const ROUND_TRIP = 'bng_radius_round_trip_seconds';

export class RadiusMetrics {
  readonly #families: RadiusMetricFamilies;

  constructor(registry: Registry) {
    this.#families = defineRadiusFamilies(registry);
  }

  /** Sets every family in the registry, and renders the one that no registry can hold. */
  read(report: RadiusReport): string {
    for (const family of Object.values(this.#families)) family.reset();
    for (const server of report.servers) this.#readServer(server);
    this.#readQueue(report.accounting);
    this.#readCoa(report.coa);
    return roundTripText(report.servers);
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
function roundTripText(servers: readonly RadiusServerReport[]): string {
  const lines = [
    `# HELP ${ROUND_TRIP} Time from a RADIUS request to its answer, of requests that were sent once`,
    `# TYPE ${ROUND_TRIP} histogram`,
  ];
  for (const { name, roundTrip } of servers) {
    const server = `server="${escapeLabel(name)}"`;
    for (const [index, count] of cumulative(roundTrip).entries()) {
      const boundSeconds = (roundTrip.boundsMs[index] ?? 0) / 1000;
      lines.push(`${ROUND_TRIP}_bucket{${server},le="${boundSeconds}"} ${count}`);
    }
    lines.push(
      `${ROUND_TRIP}_bucket{${server},le="+Inf"} ${roundTrip.count}`,
      `${ROUND_TRIP}_sum{${server}} ${roundTrip.sumMs / 1000}`,
      `${ROUND_TRIP}_count{${server}} ${roundTrip.count}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
