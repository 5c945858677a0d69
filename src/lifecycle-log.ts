/** One log line for each step of a session's life, with the ids that follow a subscriber through the log. */
import { logEvent } from './log-events.js';
import type { Logger } from 'pino';
import { formatAttachment } from './model/access-line.js';
import { formatIpv4 } from './model/ipv4.js';
import type { LifecycleEvent, LifecycleListener } from './session/lifecycle.js';

export function logLifecycle(logger: Logger): LifecycleListener {
  return (event) => {
    const { session } = event;
    const line = {
      session: session.id,
      ont: session.ontSerial,
      state: session.state,
      line: session.attachment === null ? null : formatAttachment(session.attachment),
      ...details(event),
    };
    logEvent(logger, event.type, line);
  };
}

function details(event: LifecycleEvent): Record<string, unknown> {
  switch (event.type) {
    case 'session-created':
      return {};
    case 'state-changed':
      return {
        from: event.from,
        to: event.to,
        durationMs: Math.round(event.durationMs),
        ...(event.to === 'suspended' ? { reason: event.session.suspendedFor } : {}),
      };
    case 'lease-bound':
    case 'lease-renewed':
      return { address: formatIpv4(event.address), pool: event.poolName };
    case 'lease-ended':
      return {
        address: formatIpv4(event.address),
        pool: event.poolName,
        upstreamBytes: event.traffic.upstreamBytes.toString(),
        downstreamBytes: event.traffic.downstreamBytes.toString(),
      };
    case 'order-refused':
      return { order: event.order, reason: event.reason };
    case 'trouble':
      return { reason: event.reason };
  }
}
