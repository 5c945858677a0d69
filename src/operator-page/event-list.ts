/** The last events of all sessions, newest on top, and what each of them says. Bounded. */
import type { OverviewEvent, OverviewEvents } from '../http/overview.js';
import { h } from './element.js';
import { count, duration, timeOfDay } from './format.js';
import { stateName } from './states.js';

const MOST = 100;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** One event in a few words. */
export function eventText(event: OverviewEvent): string {
  switch (event.type) {
    case 'session-created':
      return 'first seen';
    case 'state-changed': {
      const after =
        typeof event['duration_ms'] === 'number' ? ` after ${duration(event['duration_ms'])}` : '';
      return `${stateName(text(event['from']))} → ${stateName(text(event['to']))}${after}`;
    }
    case 'lease-bound':
      return `leased ${text(event['address'])} of ${text(event['pool'])}`;
    case 'lease-renewed':
      return `renewed ${text(event['address'])}`;
    case 'lease-ended':
      return `gave up ${text(event['address'])}`;
    case 'order-refused':
      return `${text(event['order'])} refused: ${text(event['reason'])}`;
    case 'trouble':
      return text(event['reason']);
    default:
      return event.type;
  }
}

/** A list item; the line's name is a button where `onOpen` is given. */
export function eventItem(event: OverviewEvent, onOpen?: (key: string) => void): HTMLLIElement {
  const { id, ont_serial: serial } = event.session;
  const name = serial ?? id;
  const isTrouble = event.type === 'trouble' || event.type === 'order-refused';
  return h(
    'li',
    { class: isTrouble ? 'trouble' : '' },
    h('time', { datetime: event.at }, timeOfDay(event.at)),
    onOpen === undefined
      ? null
      : h('button', { type: 'button', class: 'link', onclick: () => onOpen(id) }, name),
    h('span', {}, eventText(event)),
  );
}

export class EventList {
  readonly element: HTMLElement;
  readonly #list = h('ol', { class: 'events' });
  readonly #pause = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, 'Pause');
  readonly #onOpen: (key: string) => void;
  #held: OverviewEvents[] | null = null;

  constructor(onOpen: (key: string) => void) {
    this.#onOpen = onOpen;
    this.#pause.addEventListener('click', () => this.#toggle());
    this.element = h(
      'section',
      { class: 'panel live' },
      h('header', {}, h('h2', {}, 'Live events'), this.#pause),
      h('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Live events' }, this.#list),
    );
  }

  /** Begins anew. */
  clear(): void {
    this.#list.replaceChildren();
  }

  add(told: OverviewEvents): void {
    if (this.#held !== null) {
      this.#held = [...this.#held, told].slice(-4);
      return;
    }
    const items = told.events.map((event) => eventItem(event, this.#onOpen)).reverse();
    if (told.skipped > 0)
      items.push(h('li', { class: 'skipped' }, `${count(told.skipped)} more events not shown`));
    this.#list.prepend(...items);
    while (this.#list.children.length > MOST) this.#list.lastElementChild?.remove();
  }

  #toggle(): void {
    const held = this.#held;
    this.#held = held === null ? [] : null;
    this.#pause.setAttribute('aria-pressed', String(held === null));
    for (const told of held ?? []) this.add(told);
  }
}
