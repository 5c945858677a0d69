/** What one wrong thing in the section walledGarden is answered with: rows of single-problem.test.ts. */
import { withLine } from './minimal-yaml.js';

/** Text, path, expected, found, line. */
export type ProblemRow = readonly [string, string, string, string, number];

export const POOL_NAME = 'the name of a pool (letters, digits, -, _; at most 63)';
export const A_POOL = 'the name of a pool (wgar, isp)';
const garden = (rest: string): string => withLine('walledGarden:', `walledGarden: { pool: wgar, ${rest} }`);
const SERVICE_ENDPOINT = 'ip:port with a port from 1 to 65535';
const RESOLVERS = 'a list of 1 to 8 resolvers';
const DESTINATION = 'prefix or prefix:port such as 203.0.113.0/24:443';

export const GARDEN_ROWS: readonly ProblemRow[] = [
  [withLine('walledGarden:', ''), 'walledGarden.pool', POOL_NAME, 'nothing', 1],
  [withLine('walledGarden:', 'walledGarden: { pool: lost }'), 'walledGarden.pool', A_POOL, 'lost', 7],
  [
    garden('portal: 10.255.0.2:80'),
    'walledGarden.portal',
    'the gateway of pool wgar: 10.255.0.1:port',
    '10.255.0.2:80',
    7,
  ],
  [garden('portal: 10.255.0.1'), 'walledGarden.portal', SERVICE_ENDPOINT, '10.255.0.1', 7],
  [garden('portal: 10.255.0.1:0'), 'walledGarden.portal', SERVICE_ENDPOINT, '10.255.0.1:0', 7],
  [garden('allow: 1.1.1.1/32'), 'walledGarden.allow', 'a list of destinations', '1.1.1.1/32', 7],
  [garden('allow: [1.1.1.1]'), 'walledGarden.allow[0]', DESTINATION, '1.1.1.1', 7],
  [garden('allow: [1.1.1.0/24, 1.1.1.1/24]'), 'walledGarden.allow[1]', DESTINATION, '1.1.1.1/24', 7],
  [garden('allow: [1.1.1.1/32:0]'), 'walledGarden.allow[0]', DESTINATION, '1.1.1.1/32:0', 7],
  [garden('allow: [1.1.1.1/32:65536]'), 'walledGarden.allow[0]', DESTINATION, '1.1.1.1/32:65536', 7],
  [garden('allow: [1.1.1.1/32:443:tcp]'), 'walledGarden.allow[0]', DESTINATION, '1.1.1.1/32:443:tcp', 7],
  [garden('dns: { names: [] }'), 'walledGarden.dns.upstream', RESOLVERS, 'nothing', 7],
  [garden('dns: { upstream: [] }'), 'walledGarden.dns.upstream', RESOLVERS, 'an empty list', 7],
  [
    garden('dns: { upstream: [192.0.2.53] }'),
    'walledGarden.dns.upstream[0]',
    SERVICE_ENDPOINT,
    '192.0.2.53',
    7,
  ],
  [
    garden('portal: 10.255.0.1:53, dns: { upstream: [192.0.2.53:53] }'),
    'walledGarden.portal',
    'another port than 53, where walledGarden.dns answers',
    '10.255.0.1:53',
    7,
  ],
  ...['pay', '-a.example.com', 'a.*.example.com', 'pay.example.com:0', 'https://pay.example.com'].map(
    (name): ProblemRow => [
      garden(`dns: { names: ['${name}'], upstream: ['192.0.2.53:53'] }`),
      'walledGarden.dns.names[0]',
      'a name, *.name or name:port such as pay.example.com:443',
      name,
      7,
    ],
  ),
  [
    garden('deny: []'),
    'walledGarden.deny',
    'only the keys pool, portal, allow, dns',
    'the unknown key deny',
    7,
  ],
];
