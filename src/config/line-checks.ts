/** What static addresses must have in common with the pools and with one another. */
import { formatPrefix, prefixContains, prefixLast } from '../model/ipv4.js';
import type { Draft } from './draft.js';
import type { Finding } from './problem.js';

export function checkLines({ lines, pools, walledGarden, authRecords }: Draft): readonly Finding[] {
  const findings: Finding[] = [];
  const networks = pools.flatMap(({ partial: { name, network, exclude } }) =>
    network === undefined ? [] : [{ name, network, exclude: exclude ?? [] }],
  );
  lines.partial.static?.forEach((network, at) => {
    const pool = networks.find((one) => prefixContains(one.network, network.network));
    const last = prefixLast(network);
    // What one range excludes nobody else can be given.
    const isExcluded = pool?.exclude.some(({ first, last: end }) => first <= network.network && last <= end);
    if (isExcluded === true && pool?.name !== walledGarden.partial.pool) return;
    findings.push({
      path: ['lines', 'static', at],
      expected: `a network that one range in the exclude of a pool other than the garden’s covers`,
      found: formatPrefix(network),
    });
  });
  authRecords.forEach(({ partial: { address } }, at) => {
    if (address === undefined) return;
    const path = ['auth', 'records', at, 'address'] as const;
    if (networks.length > 0 && !networks.some(({ network }) => prefixContains(network, address))) {
      findings.push({ path, expected: 'an address of a pool' });
    }
    const first = authRecords.findIndex(({ partial }) => partial.address === address);
    if (first < at) findings.push({ path, expected: `another address than that of auth.records[${first}]` });
  });
  return findings;
}
