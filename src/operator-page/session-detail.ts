/** One subscriber: what is known, what it carries, what happened last, and the orders that can be given. */
import type { OverviewPool } from '../http/overview.js';
import type { Api, SessionDetail } from './api.js';
import { reasonOf } from './api.js';
import { h, setAttribute, setText } from './element.js';
import { eventItem } from './event-list.js';
import { bitRate, bytes, count, dateAndTime, duration, limit, NOTHING } from './format.js';
import { openOrderDialog, orderTitle } from './order-dialog.js';
import { ORDERS, showState, stateOf } from './states.js';

const ANEW_MS = 1_500;

interface Carried {
  readonly atMs: number;
  readonly up: bigint;
  readonly down: bigint;
}

export interface SessionDetailOptions {
  readonly api: Api;
  readonly pools: () => readonly OverviewPool[];
  /** Told when an order was carried out. */
  readonly onOrdered: () => void;
}

export class SessionDetailView {
  readonly #o: SessionDetailOptions;
  readonly #title = h('h2', { id: 'detail-title' });
  readonly #badge = h('span');
  readonly #facts = h('dl', { class: 'facts' });
  readonly #rates = h('p', { class: 'rates' });
  readonly #orders = h('div', { class: 'buttons' });
  readonly #status = h('p', { class: 'said', role: 'status' });
  readonly #events = h('ol', { class: 'events' });
  readonly #dialog: HTMLDialogElement;
  #key: string | null = null;
  #timer = 0;
  #before: Carried | null = null;
  #shownOrders = '';
  #shownEvents = '';

  constructor(options: SessionDetailOptions) {
    this.#o = options;
    const close = h('button', { type: 'button', class: 'quiet', onclick: () => this.close() }, 'Close');
    this.#dialog = h(
      'dialog',
      { class: 'detail', 'aria-labelledby': 'detail-title' },
      h('header', {}, this.#title, this.#badge, close),
      this.#orders,
      this.#status,
      this.#rates,
      this.#facts,
      h('h3', {}, 'Last events'),
      this.#events,
    );
    this.#dialog.addEventListener('close', () => {
      this.#key = null;
      clearTimeout(this.#timer);
    });
    document.body.append(this.#dialog);
  }

  /** Shows the session of this id until it is closed. */
  open(key: string): void {
    this.#key = key;
    this.#before = null;
    setText(this.#status, '');
    if (!this.#dialog.open) this.#dialog.showModal();
    void this.#load(key);
  }

  close(): void {
    this.#dialog.close();
  }

  async #load(key: string): Promise<void> {
    clearTimeout(this.#timer);
    try {
      const session = await this.#o.api.session(key);
      if (this.#key !== key) return;
      if (session === null) this.#gone();
      else this.#show(session);
    } catch (error) {
      if (this.#key !== key) return;
      setText(this.#status, reasonOf(error));
    }
    this.#timer = setTimeout(() => void this.#load(key), ANEW_MS);
  }

  #gone(): void {
    showState(this.#badge, 'terminated');
    this.#orders.replaceChildren();
    this.#shownOrders = '';
    setText(this.#rates, '');
    setText(this.#status, 'This session has ended.');
  }

  #show(session: SessionDetail): void {
    setText(this.#title, session.ont_serial ?? session.circuit_id ?? session.id);
    showState(this.#badge, session.state);
    this.#showRates(session);
    this.#showFacts(factsOf(session));
    this.#showOrders(session);
    const last = session.events.map(({ type, at }) => `${type}${at}`).join();
    if (last !== this.#shownEvents) {
      this.#shownEvents = last;
      this.#events.replaceChildren(...session.events.map((event) => eventItem(event)).reverse());
    }
  }

  #showRates({ traffic }: SessionDetail): void {
    if (traffic === null) {
      this.#before = null;
      setText(this.#rates, '');
      return;
    }
    const now = {
      atMs: performance.now(),
      up: BigInt(traffic.upstream_bytes),
      down: BigInt(traffic.downstream_bytes),
    };
    const before = this.#before;
    this.#before = now;
    const rate = (way: 'up' | 'down'): string =>
      before === null || now[way] < before[way]
        ? NOTHING
        : bitRate((Number(now[way] - before[way]) * 8_000) / (now.atMs - before.atMs));
    setText(this.#rates, `↓ ${rate('down')}   ↑ ${rate('up')}`);
  }

  #showFacts(facts: readonly (readonly [string, string])[]): void {
    const { children } = this.#facts;
    while (children.length < facts.length) this.#facts.append(h('div', {}, h('dt'), h('dd')));
    while (children.length > facts.length) this.#facts.lastElementChild?.remove();
    facts.forEach(([name, value], index) => {
      const [term, said] = children[index]?.children ?? [];
      if (term !== undefined) setText(term, name);
      if (said !== undefined) setText(said, value);
    });
  }

  #showOrders(session: SessionDetail): void {
    const state = stateOf(session.state);
    const orders = state === null || session.ont_serial === null ? [] : ORDERS[state];
    // Buttons are kept while they stay the same: one of them may have the focus.
    const wanted = `${session.id} ${session.state} ${orders.join()}`;
    if (wanted === this.#shownOrders) return;
    this.#shownOrders = wanted;
    const buttons = orders.map((name) => {
      const button = h(
        'button',
        { type: 'button', class: name === 'terminate' ? 'danger' : 'primary' },
        `${orderTitle(name)}…`,
      );
      button.addEventListener('click', () =>
        openOrderDialog({
          api: this.#o.api,
          name,
          session,
          pools: this.#o.pools(),
          onDone: () => this.#done(`${orderTitle(name)}: the BNG has taken the order.`),
        }),
      );
      return button;
    });
    this.#orders.replaceChildren(...buttons);
    setAttribute(this.#orders, 'aria-label', 'Orders');
  }

  #done(said: string): void {
    setText(this.#status, said);
    this.#o.onOrdered();
    if (this.#key !== null) void this.#load(this.#key);
  }
}

function factsOf(session: SessionDetail): readonly (readonly [string, string])[] {
  const { attachment, traffic, authentication, accounting, kernel } = session;
  const facts: readonly (readonly [string, string | null])[] = [
    ['Address', session.address],
    ['Held address', session.held_address],
    ['Pool', session.pool],
    ['Service', session.service_id],
    ['Suspended for', session.suspended_for],
    ['Download limit', session.download_bps === null ? null : limit(session.download_bps)],
    ['Upload limit', session.upload_bps === null ? null : limit(session.upload_bps)],
    [
      'Lease',
      session.lease_expires_at === null
        ? session.lease_phase
        : `${session.lease_phase}, until ${dateAndTime(session.lease_expires_at)}`,
    ],
    ['MAC', attachment?.mac ?? null],
    ['S-VLAN / C-VLAN', attachment === null ? null : `${attachment.s_vlan} / ${attachment.c_vlan}`],
    ['Circuit-id', session.circuit_id],
    [
      'Downstream',
      traffic === null
        ? null
        : `${bytes(traffic.downstream_bytes)}, ${count(traffic.downstream_packets)} packets`,
    ],
    [
      'Upstream',
      traffic === null
        ? null
        : `${bytes(traffic.upstream_bytes)}, ${count(traffic.upstream_packets)} packets`,
    ],
    ['In this state for', duration(Date.now() - Date.parse(session.state_since))],
    ['First seen', dateAndTime(session.created_at)],
    [
      'Authentication',
      authentication ? [authentication.outcome, authentication.reason].filter(Boolean).join(': ') : null,
    ],
    ['Accounting', accounting?.session_id ?? null],
    ['In the kernel', kernel === null ? 'no' : kernel.garden_member === true ? 'yes, in the garden' : 'yes'],
    ['Session id', session.id],
  ];
  return facts.filter((fact): fact is readonly [string, string] => fact[1] !== null);
}
