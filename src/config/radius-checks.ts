/** What the settings of RADIUS must have in common: with one another, with authentication and with accounting. */
import { formatIpv4 } from '../model/ipv4.js';
import type { Draft } from './draft.js';
import type { Finding } from './problem.js';

export function checkRadius(draft: Draft): readonly Finding[] {
  return [...checkUsers(draft), ...checkTimers(draft), ...checkCoaClients(draft)];
}

/** Where accounting records go: where the file says, else where authentication is. */
export function accountingModeOf({ auth, accounting }: Draft): 'radius' | 'log' | 'none' {
  return accounting.partial.mode ?? (auth.partial.mode === 'radius' ? 'radius' : 'log');
}

/** Who speaks RADIUS needs servers, and accounting a place where its records outlive an outage. */
function checkUsers(draft: Draft): readonly Finding[] {
  const { auth, accounting, radius, store } = draft;
  const findings: Finding[] = [];
  const user =
    auth.partial.mode === 'radius' ? 'auth' : accounting.partial.mode === 'radius' ? 'accounting' : null;
  if (radius === null && user !== null) {
    findings.push({ path: ['radius'], expected: `a mapping, as ${user}.mode is radius` });
  }
  if (store.partial.mode === 'memory' && accountingModeOf(draft) === 'radius') {
    const why =
      accounting.partial.mode === 'radius'
        ? 'accounting.mode is radius'
        : 'accounting follows auth.mode radius';
    findings.push({ path: ['store', 'mode'], expected: `durable, as ${why}` });
  }
  return findings;
}

function checkTimers({ radius }: Draft): readonly Finding[] {
  const timers = radius?.partial.timers;
  if (timers === undefined) return [];
  const path = ['radius', 'timers'] as const;
  const findings: Finding[] = [];
  if (timers.initialRetransmit > timers.maxRetransmit) {
    findings.push({
      path: [...path, 'initialRetransmit'],
      expected: `at most maxRetransmit, ${timers.maxRetransmit}ms`,
      found: `${timers.initialRetransmit}ms`,
    });
  }
  if (timers.deadline < timers.initialRetransmit) {
    findings.push({
      path: [...path, 'deadline'],
      expected: `at least initialRetransmit, ${timers.initialRetransmit}ms`,
      found: `${timers.deadline}ms`,
    });
  }
  if (timers.failoverAfter > timers.tries) {
    findings.push({
      path: [...path, 'failoverAfter'],
      expected: `at most tries, ${timers.tries}`,
      found: `${timers.failoverAfter}`,
    });
  }
  return findings;
}

/** A client is known by its address: of two with the same, one secret would never be used. */
function checkCoaClients({ radius }: Draft): readonly Finding[] {
  const clients = radius?.partial.coa?.clients ?? [];
  return clients.flatMap(({ host }, at) => {
    const first = clients.findIndex((other) => other.host === host);
    if (first === at) return [];
    const expected = `an address other than that of radius.coa.clients[${first}], ${formatIpv4(host)}`;
    return [{ path: ['radius', 'coa', 'clients', at, 'host'], expected }];
  });
}
