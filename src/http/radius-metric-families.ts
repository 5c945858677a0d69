/** The metric families of AAA: names, help and labels. Nothing here knows where the values come from. */
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

export type RadiusMetricFamilies = ReturnType<typeof defineRadiusFamilies>;

/** Makes every family but the histogram in `registry`; all of them are set at each scrape. */
export function defineRadiusFamilies(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter<L>({ name, help, labelNames: [...labelNames], registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge<L>({ name, help, labelNames: [...labelNames], registers });
  return {
    requests: counter(
      'bng_radius_requests_total',
      'RADIUS requests by server, code and how they ended; no-answer went to another server or ran out',
      ['server', 'code', 'outcome'],
    ),
    retransmissions: counter('bng_radius_retransmissions_total', 'RADIUS packets that were sent again', [
      'server',
    ]),
    ignored: counter(
      'bng_radius_ignored_total',
      'Datagrams from a RADIUS server that were not taken for an answer, by reason',
      ['server', 'reason'],
    ),
    inFlight: gauge('bng_radius_in_flight', 'RADIUS requests that wait for their answer', ['server']),
    serverUp: gauge('bng_radius_server_up', '1 while the RADIUS server is taken for alive, else 0', [
      'server',
    ]),
    queueLength: gauge('bng_accounting_queue_length', 'Accounting records that wait for delivery'),
    queueUnsaved: gauge(
      'bng_accounting_queue_unsaved',
      'Waiting accounting records that are not in the store: lost if the process dies now',
    ),
    queueOldest: gauge('bng_accounting_queue_oldest_seconds', 'Age of the oldest waiting accounting record'),
    outage: gauge('bng_accounting_outage', '1 while no accounting server answers, else 0'),
    storeFailed: gauge('bng_accounting_store_failed', '1 while the store takes no accounting record, else 0'),
    records: counter(
      'bng_accounting_records_total',
      'Accounting records that left the queue by result: delivered, superseded (an interim that a later record of its ' +
        'session made redundant), unsendable and damaged (kept for an operator)',
      ['result'],
    ),
    retries: counter(
      'bng_accounting_retries_total',
      'Tries to deliver an accounting record that brought no answer',
    ),
    coaRequests: counter(
      'bng_coa_requests_total',
      'CoA- and Disconnect-Requests by code and outcome: ack, or the Error-Cause of a NAK',
      ['code', 'outcome'],
    ),
    coaDuplicates: counter('bng_coa_duplicates_total', 'Retransmitted CoA- and Disconnect-Requests'),
    coaDropped: counter(
      'bng_coa_dropped_total',
      'Datagrams to the CoA server that got no answer, by reason; unknown-client is an address of no client',
      ['reason'],
    ),
  };
}
