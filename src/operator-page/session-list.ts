/** The sessions, a page at a time, searched and filtered by the BNG: this page never holds more of them than it shows. */
import { SESSION_STATES } from '../model/session-state.js';
import type { Api, SessionRow } from './api.js';
import { reasonOf } from './api.js';
import { h, setText, updateRows } from './element.js';
import { count, duration, NOTHING } from './format.js';
import { showState, STATE_NAMES } from './states.js';

const ROWS = 25;
const TYPING_MS = 250;
const ANEW_MS = 3_000;
/** The BNG looks at some thousand sessions for an answer; a rare match may take several. */
const MOST_ANSWERS = 60;

export class SessionList {
  readonly element: HTMLElement;
  readonly #api: Api;
  readonly #onOpen: (key: string) => void;
  readonly #search = h('input', {
    type: 'search',
    name: 'search',
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'ONT, address, MAC, circuit-id',
    'aria-label': 'Search sessions',
    maxlength: 128,
  });
  readonly #state = h(
    'select',
    { 'aria-label': 'State' },
    h('option', { value: '' }, 'All states'),
    ...SESSION_STATES.filter((state) => state !== 'terminated').map((state) =>
      h('option', { value: state }, STATE_NAMES[state]),
    ),
  );
  readonly #body = h('tbody');
  readonly #status = h('p', { class: 'under', role: 'status' });
  readonly #previous = h('button', { type: 'button', class: 'quiet', disabled: true }, 'Previous');
  readonly #next = h('button', { type: 'button', class: 'quiet', disabled: true }, 'Next');
  /** Where this page and those before it begin; the first begins at nothing. */
  #cursors: (string | null)[] = [null];
  #following: string | null = null;
  #asked = new AbortController();
  #timer = 0;

  constructor(api: Api, onOpen: (key: string) => void) {
    this.#api = api;
    this.#onOpen = onOpen;
    this.#search.addEventListener('input', () => this.#later(TYPING_MS, true));
    this.#state.addEventListener('change', () => this.#later(0, true));
    this.#previous.addEventListener('click', () => this.#turn(-1));
    this.#next.addEventListener('click', () => this.#turn(1));
    const form = h('form', { role: 'search', class: 'filters' }, this.#search, this.#state);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#openExact();
    });
    const headings = ['ONT', 'State', 'Address', 'Pool', 'S-/C-VLAN', 'MAC', 'In state for'];
    const table = h(
      'table',
      { class: 'sessions' },
      h('caption', { class: 'visually-hidden' }, 'Sessions'),
      h('thead', {}, h('tr', {}, ...headings.map((heading) => h('th', { scope: 'col' }, heading)))),
      this.#body,
    );
    this.element = h(
      'section',
      { class: 'panel list' },
      h('header', {}, h('h2', {}, 'Sessions'), form),
      h('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Sessions' }, table),
      h('footer', {}, this.#status, this.#previous, this.#next),
    );
  }

  start(): void {
    this.#later(0, true);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asked.abort();
  }

  /** Asks again at once, after an order. */
  refresh(): void {
    this.#later(0, false);
  }

  focusSearch(): void {
    this.#search.focus();
  }

  #turn(by: 1 | -1): void {
    if (by === 1 && this.#following !== null) this.#cursors.push(this.#following);
    if (by === -1 && this.#cursors.length > 1) this.#cursors.pop();
    this.#later(0, false);
  }

  #later(delayMs: number, anew: boolean): void {
    clearTimeout(this.#timer);
    if (anew) this.#cursors = [null];
    this.#asked.abort();
    this.#timer = setTimeout(() => void this.#load(), delayMs);
  }

  async #load(): Promise<void> {
    this.#asked = new AbortController();
    const { signal } = this.#asked;
    try {
      if (!document.hidden) await this.#ask(signal);
    } catch (error) {
      if (!signal.aborted) setText(this.#status, reasonOf(error));
    }
    if (!signal.aborted) this.#timer = setTimeout(() => void this.#load(), ANEW_MS);
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const match = this.#search.value.trim();
    const wanted = {
      ...(match === '' ? {} : { match }),
      ...(this.#state.value === '' ? {} : { state: this.#state.value }),
    };
    const found: SessionRow[] = [];
    let cursor = this.#cursors.at(-1) ?? null;
    for (let answer = 0; answer < MOST_ANSWERS; answer++) {
      const limit = String(ROWS - found.length);
      const page = await this.#api.sessions(
        { ...wanted, limit, ...(cursor === null ? {} : { cursor }) },
        signal,
      );
      found.push(...page.sessions);
      cursor = page.next_cursor;
      if (cursor === null || found.length >= ROWS) break;
      if (answer > 1) setText(this.#status, 'Searching…');
    }
    this.#following = cursor;
    this.#show(found);
  }

  #show(sessions: readonly SessionRow[]): void {
    updateRows(this.#body, sessions, {
      key: ({ id }) => id,
      make: (id) => this.#makeRow(id),
      fill: (row, session) => fillRow(row, session),
    });
    const first = (this.#cursors.length - 1) * ROWS;
    const said =
      sessions.length === 0
        ? 'No session matches.'
        : `${count(first + 1)} to ${count(first + sessions.length)}${this.#following === null ? '' : ', and more'}`;
    setText(this.#status, said);
    this.#previous.disabled = this.#cursors.length === 1;
    this.#next.disabled = this.#following === null;
  }

  #makeRow(id: string): HTMLTableRowElement {
    const open = h('button', { type: 'button', class: 'link', onclick: () => this.#onOpen(id) });
    return h('tr', {}, h('th', { scope: 'row' }, open), h('td'));
  }

  /** Enter opens what is named exactly, or the only match. */
  async #openExact(): Promise<void> {
    const key = this.#search.value.trim();
    if (key === '') return;
    try {
      const session = await this.#api.session(key);
      const only = this.#body.children.length === 1 ? this.#body.firstElementChild : null;
      if (session !== null) this.#onOpen(session.id);
      else if (only instanceof HTMLTableRowElement) this.#onOpen(only.dataset['key'] ?? '');
      else this.#later(0, true);
    } catch (error) {
      setText(this.#status, reasonOf(error));
    }
  }
}

function fillRow(row: HTMLTableRowElement, session: SessionRow): void {
  const { attachment } = session;
  const button = row.cells[0]?.firstElementChild;
  if (button) setText(button, session.ont_serial ?? session.circuit_id ?? session.id);
  const state = row.cells[1];
  if (state !== undefined) showState(state, session.state);
  const texts = [
    session.address ?? NOTHING,
    session.pool ?? NOTHING,
    attachment === null ? NOTHING : `${attachment.s_vlan}/${attachment.c_vlan}`,
    attachment?.mac ?? NOTHING,
    duration(Date.now() - Date.parse(session.state_since)),
  ];
  while (row.cells.length < texts.length + 2) row.append(h('td'));
  texts.forEach((text, index) => {
    const cell = row.cells[index + 2];
    if (cell !== undefined) setText(cell, text);
  });
}
