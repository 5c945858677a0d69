/** How a lifecycle event looks in JSON. */
import { formatIpv4 } from '../model/ipv4.js';
import type { LifecycleEvent } from '../session/lifecycle.js';
import { sessionJson, trafficJson } from './session-json.js';

/** What an event says beside type, time and session. */
export function eventMembers(event: LifecycleEvent): Record<string, unknown> {
  switch (event.type) {
    case 'session-created':
      return {};
    case 'state-changed':
      return { from: event.from, to: event.to, duration_ms: event.durationMs };
    case 'lease-bound':
    case 'lease-renewed':
      return { address: formatIpv4(event.address), pool: event.poolName };
    case 'lease-ended':
      return {
        address: formatIpv4(event.address),
        pool: event.poolName,
        traffic: trafficJson(event.traffic),
      };
    case 'order-refused':
      return { order: event.order, reason: event.reason };
    case 'trouble':
      return { reason: event.reason };
  }
}

/** Renders an event; counters are decimal strings, times RFC 3339. */
export function eventJson(event: LifecycleEvent): Record<string, unknown> {
  return {
    type: event.type,
    at: new Date(event.wallMs).toISOString(),
    ...eventMembers(event),
    session: sessionJson(event.session),
  };
}
