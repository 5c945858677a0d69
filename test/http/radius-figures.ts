/** A report of AAA with a different number in every place, so that none can be shown in the place of another. */
import type { RadiusReport, RadiusServerReport } from '../../src/http/radius-report.js';

export const auth: RadiusServerReport = {
  name: '192.0.2.7:1812',
  role: 'auth',
  state: 'alive',
  inFlight: 3,
  sockets: 2,
  requests: 40,
  outcomes: { 'access-accept': 30, 'access-reject': 5, 'access-challenge': 0, 'no-answer': 2 },
  retransmissions: 6,
  ignored: [
    { reason: 'missing-message-authenticator', count: 7, explanation: 'answers can be forged' },
    { reason: 'malformed', count: 0, explanation: 'not a RADIUS packet' },
  ],
  socketErrors: 8,
  roundTrip: {
    count: 10,
    sumMs: 2_500,
    lastMs: 9.5,
    smoothedMs: 12.25,
    boundsMs: [1, 10, 1_000],
    buckets: [0, 4, 5, 1],
  },
};

const NO_ROUND_TRIP = { count: 0, sumMs: 0, lastMs: null, smoothedMs: null };

export const acct: RadiusServerReport = {
  name: '192.0.2.7:1813',
  role: 'acct',
  state: 'dead',
  inFlight: 1,
  sockets: 1,
  requests: 11,
  outcomes: { 'accounting-response': 0, 'no-answer': 12 },
  retransmissions: 13,
  ignored: [],
  socketErrors: 0,
  roundTrip: { ...NO_ROUND_TRIP, boundsMs: [1, 10, 1_000], buckets: [0, 0, 0, 0] },
};

export const radiusReport: RadiusReport = {
  authMode: 'radius',
  accountingMode: 'radius',
  servers: [auth, acct],
  clients: [
    { role: 'auth', queued: 14, overloaded: 15, timeouts: 16 },
    { role: 'acct', queued: 17, overloaded: 18, timeouts: 19 },
  ],
  authenticator: {
    accepted: 20,
    rejected: 21,
    timeouts: 22,
    malformed: 23,
    unsupported: 24,
    unknownAttributes: 25,
    raisedInterims: 26,
  },
  accounting: {
    length: 27,
    unsaved: 28,
    inFlight: 29,
    oldestAgeMs: 30_500,
    delivered: 31,
    retried: 32,
    dropped: { supersededInterim: 33, unsendable: 34, damaged: 35 },
    outage: true,
    storeFailure: null,
  },
  coa: {
    unknownClients: 36,
    socketErrors: 37,
    clients: [
      {
        address: '192.0.2.8',
        underWay: 38,
        duplicates: 39,
        sendErrors: 41,
        requests: [
          { code: 'CoA-Request', received: 42, answers: { ack: 43, SessionContextNotFound: 44 } },
          { code: 'Disconnect-Request', received: 45, answers: {} },
        ],
        dropped: { malformed: 46, replayed: 0 },
      },
      {
        address: '192.0.2.9',
        underWay: 0,
        duplicates: 1,
        sendErrors: 0,
        requests: [
          { code: 'CoA-Request', received: 1, answers: { ack: 1 } },
          { code: 'Disconnect-Request', received: 0, answers: {} },
        ],
        dropped: { malformed: 1, replayed: 2 },
      },
    ],
  },
};
