/** The metric families of AAA: names, help and labels. Nothing here knows where the values come from. */
import type { MetricCatalogue } from './metric-catalogue.js';

export type RadiusMetricFamilies = ReturnType<typeof defineRadiusFamilies>;

const SERVER = { server: '`host:port` of a configured server' };
const CODE = { code: '`Access-Request` or `Accounting-Request`' };
const COA_CODE = { code: '`CoA-Request` or `Disconnect-Request`' };

/** Makes every family in `catalogue`; all are set at each scrape but `roundTrip`, which arrives counted and is only described. */
export function defineRadiusFamilies(catalogue: MetricCatalogue) {
  return {
    requests: catalogue.counter(
      'bng_radius_requests_total',
      'RADIUS requests by server, code and how they ended; no-answer went to another server or ran out',
      { ...SERVER, ...CODE, outcome: 'the answer’s code in small letters, or `no-answer`' },
    ),
    retransmissions: catalogue.counter(
      'bng_radius_retransmissions_total',
      'RADIUS packets that were sent again',
      SERVER,
    ),
    ignored: catalogue.counter(
      'bng_radius_ignored_total',
      'Datagrams from a RADIUS server that were not taken for an answer, by reason',
      { ...SERVER, reason: 'a closed set; `bngctl radius` explains each' },
    ),
    inFlight: catalogue.gauge('bng_radius_in_flight', 'RADIUS requests that wait for their answer', SERVER),
    serverUp: catalogue.gauge(
      'bng_radius_server_up',
      '1 while the RADIUS server is taken for alive, else 0',
      SERVER,
    ),
    queueLength: catalogue.gauge(
      'bng_accounting_queue_length',
      'Accounting records that wait for delivery',
      {},
    ),
    queueUnsaved: catalogue.gauge(
      'bng_accounting_queue_unsaved',
      'Waiting accounting records that are not in the store: lost if the process dies now',
      {},
    ),
    queueOldest: catalogue.gauge(
      'bng_accounting_queue_oldest_seconds',
      'Age of the oldest waiting accounting record',
      {},
    ),
    outage: catalogue.gauge('bng_accounting_outage', '1 while no accounting server answers, else 0', {}),
    storeFailed: catalogue.gauge(
      'bng_accounting_store_failed',
      '1 while the store takes no accounting record, else 0',
      {},
    ),
    records: catalogue.counter(
      'bng_accounting_records_total',
      'Accounting records that left the queue, by result',
      {
        result:
          '`delivered`, `superseded` (an interim that a later record of its session made redundant), `unsendable` and `damaged` ' +
          '(kept for an operator)',
      },
    ),
    retries: catalogue.counter(
      'bng_accounting_retries_total',
      'Tries to deliver an accounting record that brought no answer',
      {},
    ),
    coaRequests: catalogue.counter(
      'bng_coa_requests_total',
      'CoA- and Disconnect-Requests by how they ended',
      {
        ...COA_CODE,
        outcome: '`ack`, or the Error-Cause of a NAK',
      },
    ),
    coaDuplicates: catalogue.counter(
      'bng_coa_duplicates_total',
      'Retransmitted CoA- and Disconnect-Requests',
      {},
    ),
    coaDropped: catalogue.counter(
      'bng_coa_dropped_total',
      'Datagrams to the CoA server that got no answer, by reason',
      { reason: 'a closed set; `unknown-client` is an address of no client' },
    ),
    roundTrip: catalogue.describe({
      name: 'bng_radius_round_trip_seconds',
      type: 'histogram',
      help: 'Time from a RADIUS request to its answer, of requests that were sent once',
      labels: SERVER,
      buckets: null,
    }),
  };
}
