/** What one wrong thing in the sections pools and poolGroups is answered with: rows of single-problem.test.ts. */
import type { ProblemRow } from './garden-rows.js';
import { A_POOL, POOL_NAME } from './garden-rows.js';
import { ADDRESS, also, DURATION, isp, NET, withLine } from './minimal-yaml.js';

const PREFIX = 'an IPv4 prefix without host bits such as 10.0.0.0/12';
const RANGE = 'an IPv4 address or a rising range such as 10.0.0.2-10.0.0.10';
const GROUPS = 'a mapping of names to lists of pools';

export const POOL_ROWS: readonly ProblemRow[] = [
  // pools, each by itself
  [isp(NET), 'pools[1].name', POOL_NAME, 'nothing', 5],
  [isp(`name: -isp, ${NET}`), 'pools[1].name', POOL_NAME, '-isp', 5],
  [isp(`name: 12, ${NET}`), 'pools[1].name', POOL_NAME, '12', 5],
  [isp('name: isp, gateway: 10.0.0.1'), 'pools[1].network', PREFIX, 'nothing', 5],
  [isp('name: isp, network: 10.0.0.1/12, gateway: 10.0.0.1'), 'pools[1].network', PREFIX, '10.0.0.1/12', 5],
  [isp('name: isp, network: 10.0.0.0/33, gateway: 10.0.0.1'), 'pools[1].network', PREFIX, '10.0.0.0/33', 5],
  [isp('name: isp, network: 10.0.0.0, gateway: 10.0.0.1'), 'pools[1].network', PREFIX, '10.0.0.0', 5],
  [
    isp('name: isp, network: 16.0.0.0/11, gateway: 16.0.0.1'),
    'pools[1].network',
    'a prefix length from 12 to 32',
    '16.0.0.0/11',
    5,
  ],
  [isp('name: isp, network: 10.0.0.0/12'), 'pools[1].gateway', ADDRESS, 'nothing', 5],
  [isp('name: isp, network: 10.0.0.0/12, gateway: 10.0.1'), 'pools[1].gateway', ADDRESS, '10.0.1', 5],
  [isp('name: isp, network: 10.0.0.0/12, gateway: 10.0.0.01'), 'pools[1].gateway', ADDRESS, '10.0.0.01', 5],
  [
    isp('name: isp, network: 10.0.0.0/12, gateway: 10.16.0.1'),
    'pools[1].gateway',
    'an address inside 10.0.0.0/12',
    '10.16.0.1',
    5,
  ],
  [
    isp('name: isp, network: 10.0.0.0/12, gateway: 10.0.0.0'),
    'pools[1].gateway',
    'neither the network nor the broadcast address of 10.0.0.0/12',
    '10.0.0.0',
    5,
  ],
  [
    isp('name: isp, network: 10.0.0.0/12, gateway: 10.15.255.255'),
    'pools[1].gateway',
    'neither the network nor the broadcast address of 10.0.0.0/12',
    '10.15.255.255',
    5,
  ],
  [isp(`name: isp, ${NET}, dns: 1.1.1.1`), 'pools[1].dns', 'a list of IPv4 addresses', '1.1.1.1', 5],
  [isp(`name: isp, ${NET}, dns: [1.1.1.1, one]`), 'pools[1].dns[1]', ADDRESS, 'one', 5],
  [
    isp(`name: isp, ${NET}, dns: [${'1.1.1.1, '.repeat(64)}]`),
    'pools[1].dns',
    'at most 63 addresses',
    'a list',
    5,
  ],
  [isp(`name: isp, ${NET}, leaseTime: 600`), 'pools[1].leaseTime', DURATION, '600', 5],
  [isp(`name: isp, ${NET}, leaseTime: 0s`), 'pools[1].leaseTime', DURATION, '0s', 5],
  [isp(`name: isp, ${NET}, leaseTime: 1w`), 'pools[1].leaseTime', DURATION, '1w', 5],
  [isp(`name: isp, ${NET}, leaseTime: 50000d`), 'pools[1].leaseTime', DURATION, '50000d', 5],
  [
    isp(`name: isp, ${NET}, exclude: 10.0.0.2`),
    'pools[1].exclude',
    'a list of addresses and ranges',
    '10.0.0.2',
    5,
  ],
  [
    isp(`name: isp, ${NET}, exclude: [10.0.0.9-10.0.0.2]`),
    'pools[1].exclude[0]',
    RANGE,
    '10.0.0.9-10.0.0.2',
    5,
  ],
  [
    isp(`name: isp, ${NET}, exclude: [10.0.0.2-10.0.0.3-10.0.0.4]`),
    'pools[1].exclude[0]',
    RANGE,
    '10.0.0.2-10.0.0.3-10.0.0.4',
    5,
  ],
  [isp(`name: isp, ${NET}, exclude: [10.0.0.0/24]`), 'pools[1].exclude[0]', RANGE, '10.0.0.0/24', 5],
  [
    isp(`name: isp, ${NET}, exclude: [10.0.0.2, 10.15.0.0-10.16.0.0]`),
    'pools[1].exclude[1]',
    'addresses inside 10.0.0.0/12',
    '10.15.0.0-10.16.0.0',
    5,
  ],
  [
    isp('name: isp, network: 10.0.0.0/32, gateway: 10.0.0.0'),
    'pools[1].network',
    'at least one address beside the gateway and the excluded ones',
    '10.0.0.0/32',
    5,
  ],
  [
    isp(
      'name: isp, network: 10.0.0.0/29, gateway: 10.0.0.3, exclude: [10.0.0.0-10.0.0.4, 10.0.0.4-10.0.0.5, 10.0.0.6]',
    ),
    'pools[1].network',
    'at least one address beside the gateway and the excluded ones',
    '10.0.0.0/29',
    5,
  ],
  [
    isp(`name: isp, ${NET}, size: 5`),
    'pools[1].size',
    'only the keys name, network, gateway, dns, leaseTime, exclude, renewTime, rebindTime, options, drain',
    'the unknown key size',
    5,
  ],
  [withLine('  - { name: isp', '  -'), 'pools[1]', 'a mapping', 'nothing', 5],
  [isp(`name: isp, ${NET}, drain: yes`), 'pools[1].drain', 'none or keep or move', 'yes', 5],
  // groups of pools
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
  // pools together
  [isp(`name: wgar, ${NET}`), 'pools[1].name', 'a name other than that of pools[0]', 'wgar', 5],
  [
    isp('name: isp, network: 10.255.128.0/24, gateway: 10.255.128.1'),
    'pools[1].network',
    'a network that does not overlap pools[0].network 10.255.0.0/16',
    '10.255.128.0/24',
    5,
  ],
];
