/** All sections as far as they could be read: what the cross-checks look at. Holds no rule. */
import { POOL_LIST } from './leaf-schemas.js';
import { readMapping, readMappings } from './mapping.js';
import type { Reading, Shape } from './mapping.js';
import type { Finding } from './problem.js';
import * as sections from './sections.js';

export interface Draft {
  readonly access: Reading<typeof sections.ACCESS>;
  readonly core: Reading<typeof sections.CORE>;
  readonly pools: readonly Reading<typeof sections.POOL>[];
  readonly poolGroups: Readonly<Record<string, readonly string[]>>;
  readonly dhcp: Reading<typeof sections.DHCP>;
  readonly lines: Reading<typeof sections.LINES>;
  readonly auth: Reading<typeof sections.AUTH>;
  readonly authRecords: readonly Reading<typeof sections.AUTH_RECORD>[];
  readonly radius: Reading<typeof sections.RADIUS> | null;
  readonly accounting: Reading<typeof sections.ACCOUNTING>;
  readonly walledGarden: Reading<typeof sections.WALLED_GARDEN>;
  readonly portal: Reading<typeof sections.PORTAL>;
  readonly olt: Reading<typeof sections.OLT> | null;
  readonly api: Reading<typeof sections.API>;
  readonly metrics: Reading<typeof sections.METRICS>;
  readonly store: Reading<typeof sections.STORE>;
  readonly audit: Reading<typeof sections.AUDIT>;
  readonly log: Reading<typeof sections.LOG>;
  readonly qos: Reading<typeof sections.QOS>;
  readonly dataplane: Reading<typeof sections.DATAPLANE>;
}

/** Reads every section; what is wrong with one entry by itself is added to `findings`. */
export function readDraft(root: unknown, findings: Finding[]): Draft {
  const top = readMapping(sections.ROOT, { value: root ?? {}, path: [] }, findings).partial;
  const section = <S extends Shape>(name: keyof typeof sections.ROOT, shape: S): Reading<S> =>
    readMapping(shape, { value: top[name], path: [name] }, findings);
  const optional = <S extends Shape>(name: keyof typeof sections.ROOT, shape: S): Reading<S> | null =>
    top[name] === undefined ? null : section(name, shape);

  const auth = section('auth', sections.AUTH);
  const pools = readMappings(
    sections.POOL,
    { value: top.pools, path: ['pools'], expected: POOL_LIST },
    findings,
  );
  if (pools?.length === 0) findings.push({ path: ['pools'], expected: 'at least one pool' });
  return {
    access: section('access', sections.ACCESS),
    core: section('core', sections.CORE),
    pools: pools ?? [],
    poolGroups: top.poolGroups ?? {},
    dhcp: section('dhcp', sections.DHCP),
    lines: section('lines', sections.LINES),
    auth,
    authRecords:
      readMappings(
        sections.AUTH_RECORD,
        {
          value: auth.partial.records === undefined ? [] : auth.partial.records,
          path: ['auth', 'records'],
          expected: 'a list of records',
        },
        findings,
      ) ?? [],
    radius: optional('radius', sections.RADIUS),
    accounting: section('accounting', sections.ACCOUNTING),
    walledGarden: section('walledGarden', sections.WALLED_GARDEN),
    portal: section('portal', sections.PORTAL),
    olt: optional('olt', sections.OLT),
    api: section('api', sections.API),
    metrics: section('metrics', sections.METRICS),
    store: section('store', sections.STORE),
    audit: section('audit', sections.AUDIT),
    log: section('log', sections.LOG),
    qos: section('qos', sections.QOS),
    dataplane: section('dataplane', sections.DATAPLANE),
  };
}
