/**
 * What the probes say of AAA. A dead server never makes the BNG unready: sessions go on, renewals go on, records wait in
 * the store, and a restart or a failover by whoever watches `/readyz` would turn the outage of one server into one of the
 * access network. It makes the BNG degraded, which people and alerts see.
 */
import type { HealthCheck } from './api-options.js';
import type { RadiusReport, RadiusRole } from './radius-report.js';

/** The check `radius`; null where nothing that it could speak of is in use. */
export function radiusHealth(report: RadiusReport): HealthCheck | null {
  const { accounting } = report;
  if (report.servers.length === 0 && accounting === null) return null;
  const storeFailure = accounting?.storeFailure ?? null;
  const troubles = [
    ...deadServers(report),
    ...(accounting?.outage === true ? [`no answer to accounting: ${accounting.length} records wait`] : []),
    ...(storeFailure === null ? [] : [`the accounting store takes nothing: ${storeFailure}`]),
  ];
  const detail = troubles.length > 0 ? troubles.join('; ') : aliveServers(report);
  return { name: 'radius', ok: true, degraded: troubles.length > 0, detail };
}

function deadServers({ servers }: RadiusReport): string[] {
  return servers
    .filter(({ state }) => state !== 'alive')
    .map(({ name, role, state }) => `${name} (${role}) is ${state}`);
}

function aliveServers({ servers, accounting }: RadiusReport): string {
  const of = (role: RadiusRole): number => servers.filter((server) => server.role === role).length;
  const queue = accounting === null ? '' : `, ${accounting.length} accounting records wait`;
  return `${of('auth')} auth and ${of('acct')} acct servers alive${queue}`;
}
