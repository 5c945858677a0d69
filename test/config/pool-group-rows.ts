/** What one wrong thing about drained pools and groups of pools is answered with: rows of single-problem.test.ts. */
import type { ProblemRow } from './garden-rows.js';
import { A_POOL } from './garden-rows.js';
import { MINIMAL, withLine } from './minimal-yaml.js';

const GROUPS = 'a mapping of names to lists of pools';
const also = (line: string): string => MINIMAL + line;

export const POOL_GROUP_ROWS: readonly ProblemRow[] = [
  [
    withLine('  - { name: isp', '  - { name: isp, network: 10.0.0.0/12, gateway: 10.0.0.1, drain: yes }'),
    'pools[1].drain',
    'none or keep or move',
    'yes',
    5,
  ],
  [also('poolGroups: [isp]\n'), 'poolGroups', GROUPS, 'a list', 8],
  [also('poolGroups: { home: isp }\n'), 'poolGroups.home', 'a list of pools', 'isp', 8],
  [also('poolGroups: { home: [] }\n'), 'poolGroups.home', 'a list of pools', 'an empty list', 8],
  [also('poolGroups: { isp: [isp] }\n'), 'poolGroups.isp', 'a name that no pool has', 'isp', 8],
  [also('poolGroups: { home: [isp, lost] }\n'), 'poolGroups.home[1]', A_POOL, 'lost', 8],
  [also('poolGroups: { home: [isp, isp] }\n'), 'poolGroups.home[1]', 'each pool once', 'isp', 8],
  [
    also('poolGroups: { home: [isp, wgar] }\n'),
    'poolGroups.home[1]',
    'another pool than that of walledGarden',
    'wgar',
    8,
  ],
  [
    withLine(
      '  - { name: wgar',
      '  - { name: wgar, network: 10.255.0.0/16, gateway: 10.255.0.1, drain: keep }',
    ),
    'pools[0].drain',
    'none, as it is the pool of walledGarden',
    'keep',
    4,
  ],
  [
    `${withLine('walledGarden:', 'walledGarden: { pool: home }')}poolGroups: { home: [isp] }\n`,
    'walledGarden.pool',
    A_POOL,
    'home',
    7,
  ],
];
