/** An order of an AAA server as the audit log and the log tell it. */
import type { CoaReport } from './aaa/coa-server.js';
import type { AuditEntry } from './model/audit.js';
import { formatIpv4 } from './model/ipv4.js';
import { formatMac } from './model/mac.js';

export function coaAudit({ client, request, errorCause, reason, order, subject }: CoaReport): AuditEntry {
  const address = formatIpv4(client);
  return {
    actor: { via: 'radius', name: address, address },
    action: request === 'CoA' ? 'change-of-authorization' : 'disconnect',
    order:
      order === null ? {} : { ...selectorOf(order.selector), ...(order.kind === 'CoA' ? order.change : {}) },
    before: subject?.before ?? null,
    after: subject?.after ?? null,
    result: errorCause === null ? 'done' : 'refused',
    reason: errorCause === null ? null : `${errorCause}: ${reason ?? ''}`,
  };
}

/** What the log tells of it. */
export function coaLine({ client, request, errorCause, reason, subject }: CoaReport): object {
  const { session = null, ont = null } = subject?.before ?? {};
  return { client: formatIpv4(client), request, session, ont, errorCause, reason };
}

type Selector = NonNullable<CoaReport['order']>['selector'];

function selectorOf({ framedAddress, mac, circuitId, ...texts }: Selector): object {
  return {
    ...texts,
    ...(framedAddress !== undefined && { framedAddress: formatIpv4(framedAddress) }),
    ...(mac !== undefined && { mac: formatMac(mac) }),
    ...(circuitId !== undefined && { circuitId: Buffer.from(circuitId).toString('latin1') }),
  };
}
