/** The picture of the whole BNG: tiles, charts, pools, drops, RADIUS, dataplane. Shows what it is given; asks nothing. */
import type { Overview, OverviewSample } from '../http/overview.js';
import { Chart } from './charts.js';
import { fillCells, h, setAttribute, setText, updateRows } from './element.js';
import { bitRate, count, duration, milliseconds, NOTHING, percent, short } from './format.js';
import { Series, STACKED_STATES } from './series.js';
import { STATE_NAMES } from './states.js';

interface Tile {
  readonly element: HTMLElement;
  show(value: string, note?: string, level?: 'good' | 'warn' | 'bad' | ''): void;
}

function tile(label: string, swatch?: string): Tile {
  const value = h('span', { class: 'figure' }, NOTHING);
  const note = h('span', { class: 'note' });
  const name = h(
    'span',
    { class: 'label' },
    swatch === undefined ? null : h('span', { class: `swatch ${swatch}` }),
    label,
  );
  const element = h('li', { class: 'tile' }, name, value, note);
  return {
    element,
    show: (text, more = '', level = '') => {
      setText(value, text);
      setText(note, more);
      setAttribute(element, 'class', level === '' ? 'tile' : `tile ${level}`);
    },
  };
}

/** A titled table whose last columns are numbers. */
function tablePanel(
  title: string,
  headings: readonly string[],
  kind = '',
): { element: HTMLElement; body: HTMLElement } {
  const body = h('tbody');
  const table = h(
    'table',
    {},
    h('caption', { class: 'visually-hidden' }, title),
    h('thead', {}, h('tr', {}, ...headings.map((heading) => h('th', { scope: 'col' }, heading)))),
    body,
  );
  const scroller = h('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': title }, table);
  return {
    element: h('section', { class: `panel ${kind}` }, h('header', {}, h('h2', {}, title)), scroller),
    body,
  };
}

const plainRow = (): HTMLTableRowElement => h('tr');

function poolRow(name: string): HTMLTableRowElement {
  const scale = { min: 0, max: 1, low: 0.75, high: 0.9, optimum: 0 };
  const meter = h('meter', { ...scale, 'aria-label': `${name} in use` });
  return h(
    'tr',
    {},
    h('th', { scope: 'row' }, h('span', { class: 'pool' }), h('span', { class: 'note' })),
    h('td', { class: 'meter-cell' }, h('span'), meter),
    h('td'),
    h('td'),
  );
}

export class OverviewView {
  readonly element: HTMLElement;
  readonly #series = new Series();
  readonly #states = STACKED_STATES.map((state) => ({
    state,
    tile: tile(STATE_NAMES[state], `state-${state}`),
  }));
  readonly #traffic = tile('Installed');
  readonly #drops = tile('Drops');
  readonly #radius = tile('RADIUS');
  readonly #dataplane = tile('XDP');
  readonly #sessionChart = new Chart({
    title: 'Sessions by state',
    lines: STACKED_STATES.map((state) => ({
      name: STATE_NAMES[state],
      colour: `state-${state}`,
    })),
    isStacked: true,
    value: count,
    axisValue: short,
    leastTop: 5,
  });
  readonly #rateChart = new Chart({
    title: 'Throughput',
    lines: [
      { name: 'Downstream', colour: 'downstream' },
      { name: 'Upstream', colour: 'upstream' },
    ],
    value: bitRate,
    axisValue: short,
    leastTop: 1000,
  });
  readonly #pools = tablePanel('Pools', ['Pool', 'In use', 'Free', 'Quarantined'], 'figures');
  readonly #reasons = tablePanel('Drops by reason', ['Reason', 'Frames', 'Per second'], 'figures');
  readonly #servers = tablePanel('RADIUS servers', ['Server', 'Role', 'State', 'Answer', 'Waiting']);
  readonly #ports = tablePanel('Dataplane', ['Port', 'Role', 'XDP']);
  readonly #checks = h('ul', { class: 'checks', 'aria-label': 'Health checks' });
  readonly #radiusNote = h('p', { class: 'under' });
  #lastDrops: { readonly atMs: number; readonly drops: Overview['drops'] } | null = null;

  constructor() {
    this.#servers.element.append(this.#radiusNote);
    this.#ports.element.append(this.#checks);
    const tiles = [
      ...this.#states.map((entry) => entry.tile),
      this.#traffic,
      this.#drops,
      this.#radius,
      this.#dataplane,
    ];
    this.element = h(
      'div',
      { class: 'overview' },
      h('ul', { class: 'tiles', 'aria-label': 'Now' }, ...tiles.map(({ element }) => element)),
      h('div', { class: 'charts' }, this.#sessionChart.element, this.#rateChart.element),
      h(
        'div',
        { class: 'tables' },
        ...[this.#pools, this.#reasons, this.#servers, this.#ports].map(({ element }) => element),
      ),
    );
  }

  /** Begins the charts anew with what the BNG remembers. */
  remember(samples: readonly OverviewSample[]): void {
    this.#series.reset(samples);
  }

  show(overview: Overview): void {
    this.#series.add(overview.sample);
    this.#showTiles(overview);
    this.#showPools(overview);
    this.#showReasons(overview);
    this.#showRadius(overview);
    this.#showDataplane(overview);
    if (document.hidden) return;
    const { time, states, upstream, downstream } = this.#series.columns();
    this.#sessionChart.show(
      time,
      STACKED_STATES.map((state) => states[state]),
    );
    this.#rateChart.show(time, [downstream, upstream]);
  }

  #showTiles({ sample, installed, radius, ports, checks }: Overview): void {
    for (const { state, tile: shown } of this.#states) shown.show(count(sample.sessions[state]));
    this.#traffic.show(installed === null ? NOTHING : count(installed), 'in the dataplane');
    this.#drops.show(
      sample.drops_per_second === null ? NOTHING : count(sample.drops_per_second),
      'frames a second',
    );
    const dead = radius.servers.filter(({ state }) => state !== 'alive').length;
    const check = checks.find(({ name }) => name === 'radius');
    if (radius.auth_mode === 'local' && radius.servers.length === 0)
      this.#radius.show('Local', 'no server is asked');
    else if (dead > 0 || check?.degraded === true) {
      this.#radius.show('Degraded', `${dead} of ${radius.servers.length} down`, 'bad');
    } else this.#radius.show('Up', `${radius.servers.length} servers`, 'good');
    const generic = ports.filter(({ xdp_mode }) => xdp_mode === 'generic').length;
    if (generic > 0) this.#dataplane.show('Generic', `${generic} of ${ports.length} ports`, 'warn');
    else this.#dataplane.show('Native', `${ports.length} ports attached`, 'good');
  }

  #showPools({ pools }: Overview): void {
    updateRows(this.#pools.body, pools, {
      key: ({ name }) => name,
      make: poolRow,
      fill: (row, pool) => {
        const [name, inUse, ...others] = [...row.cells];
        setText(name?.firstElementChild ?? row, pool.name);
        setText(
          name?.lastElementChild ?? row,
          `${pool.network ?? NOTHING}${pool.state === 'open' ? '' : ` · ${pool.state}`}`,
        );
        const [text, bar] = inUse?.children ?? [];
        if (text !== undefined) setText(text, `${count(pool.allocated)} · ${percent(pool.utilization)}`);
        if (bar !== undefined) setAttribute(bar, 'value', String(pool.utilization));
        [pool.available, pool.quarantined].forEach((value, index) => {
          const cell = others[index];
          if (cell !== undefined) setText(cell, count(value));
        });
      },
    });
  }

  #showReasons({ sample, drops }: Overview): void {
    const before = this.#lastDrops;
    const seconds = before === null ? 0 : (sample.at_ms - before.atMs) / 1000;
    const rate = (reason: string): string => {
      const earlier = before?.drops[reason];
      if (earlier === undefined || seconds <= 0) return NOTHING;
      return short(Math.max(0, Math.round(Number(BigInt(drops[reason] ?? '0') - BigInt(earlier)) / seconds)));
    };
    const met = Object.entries(drops)
      .filter(([, frames]) => frames !== '0')
      .sort(([, a], [, b]) => Number(BigInt(b) - BigInt(a)));
    const rows: (readonly [string, string])[] = met.length === 0 ? [['none since start', '0']] : met;
    updateRows(this.#reasons.body, rows, {
      key: ([reason]) => reason,
      make: plainRow,
      fill: (row, [reason, frames]) =>
        fillCells(row, [reason.replaceAll('_', ' '), count(frames), rate(reason)]),
    });
    this.#lastDrops = { atMs: sample.at_ms, drops };
  }

  #showRadius({ radius }: Overview): void {
    updateRows(this.#servers.body, radius.servers, {
      key: ({ name, role }) => `${role} ${name}`,
      make: plainRow,
      fill: (row, server) => {
        const { name, role, state, smoothed_ms: answer, in_flight: waiting } = server;
        fillCells(row, [name, role, state, milliseconds(answer), count(waiting)]);
        setAttribute(row, 'class', state === 'alive' ? 'good' : 'bad');
      },
    });
    const { accounting } = radius;
    const mode = radius.auth_mode === 'local' ? 'Lines are authenticated from the configuration.' : '';
    const queue =
      accounting === null
        ? `Accounting: ${radius.accounting_mode}.`
        : `Accounting: ${count(accounting.length)} records wait` +
          `${accounting.length === 0 ? '' : `, the oldest for ${duration(accounting.oldest_age_seconds * 1000)}`}` +
          `${accounting.outage ? '; nobody answers' : ''}.`;
    setText(this.#radiusNote, `${mode} ${queue}`.trim());
  }

  #showDataplane({ ports, checks }: Overview): void {
    updateRows(this.#ports.body, ports, {
      key: (port) => port.interface,
      make: plainRow,
      fill: (row, port) => {
        fillCells(row, [port.interface, port.role, `attached, ${port.xdp_mode}`]);
        setAttribute(row, 'class', port.xdp_mode === 'native' ? 'good' : 'warn');
      },
    });
    const texts = checks.map(({ name, ok, degraded, detail }) => ({
      level: ok ? (degraded ? 'warn' : 'good') : 'bad',
      text: `${name}: ${ok ? (degraded ? 'degraded' : 'ok') : 'not ready'}`,
      detail,
    }));
    while (this.#checks.children.length > texts.length) this.#checks.lastElementChild?.remove();
    texts.forEach(({ level, text, detail }, index) => {
      const item = this.#checks.children[index] ?? this.#checks.appendChild(h('li'));
      setAttribute(item, 'class', level);
      setAttribute(item, 'title', detail);
      setText(item, text);
    });
  }
}
