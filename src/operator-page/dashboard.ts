/** The page after signing in: joins its parts to the stream that feeds them, and keeps the stream going. */
import type { Overview, OverviewEvents, OverviewPool, OverviewSample } from '../http/overview.js';
import type { Api } from './api.js';
import { h, setAttribute, setText } from './element.js';
import { EventList } from './event-list.js';
import type { ServerSentEvent } from './event-parser.js';
import { OverviewView } from './overview-view.js';
import { SessionDetailView } from './session-detail.js';
import { SessionList } from './session-list.js';
import { themeButton } from './theme.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export class Dashboard {
  readonly element: HTMLElement;
  readonly #api: Api;
  readonly #overview = new OverviewView();
  readonly #detail: SessionDetailView;
  readonly #sessions: SessionList;
  readonly #events: EventList;
  readonly #connection = h('span', { class: 'connection', role: 'status' }, 'Connecting');
  readonly #ended = new AbortController();
  #pools: readonly OverviewPool[] = [];

  constructor(api: Api, onSignOut: () => void) {
    this.#api = api;
    this.#detail = new SessionDetailView({
      api,
      pools: () => this.#pools,
      onOrdered: () => this.#sessions.refresh(),
    });
    const open = (key: string): void => this.#detail.open(key);
    this.#sessions = new SessionList(api, open);
    this.#events = new EventList(open);
    const signOut = h('button', { type: 'button', class: 'quiet', onclick: onSignOut }, 'Sign out');
    this.element = h(
      'div',
      { class: 'dashboard' },
      h(
        'header',
        { class: 'bar' },
        h('h1', {}, 'BNG'),
        this.#connection,
        h('span', { class: 'spring' }),
        themeButton(),
        signOut,
      ),
      h(
        'main',
        {},
        this.#overview.element,
        h('div', { class: 'work' }, this.#sessions.element, this.#events.element),
      ),
    );
    document.addEventListener('keydown', (event) => this.#onKey(event), { signal: this.#ended.signal });
    this.#sessions.start();
    void this.#follow();
  }

  close(): void {
    this.#ended.abort();
    this.#sessions.stop();
    this.#detail.close();
  }

  /** `/` goes to the search, as people expect of such pages. */
  #onKey(event: KeyboardEvent): void {
    const isTyping = event.target instanceof HTMLElement && event.target.matches('input, select, textarea');
    if (event.key !== '/' || isTyping || document.querySelector('dialog[open]') !== null) return;
    event.preventDefault();
    this.#sessions.focusSearch();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ended;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        await this.#api.follow((event) => {
          pauseMs = FIRST_PAUSE_MS;
          this.#onEvent(event);
        }, signal);
      } catch {
        // What the API refuses is told by whoever asked; here it means only that we are not connected.
      }
      if (signal.aborted) return;
      this.#say('Reconnecting', 'bad');
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  #onEvent({ event, data }: ServerSentEvent): void {
    switch (event) {
      case 'history':
        this.#overview.remember(JSON.parse(data) as OverviewSample[]);
        this.#events.clear();
        break;
      case 'events':
        this.#events.add(JSON.parse(data) as OverviewEvents);
        break;
      case 'overview': {
        const overview = JSON.parse(data) as Overview;
        this.#pools = overview.pools;
        this.#overview.show(overview);
        this.#say('Live', 'good');
        break;
      }
    }
  }

  #say(text: string, level: string): void {
    setText(this.#connection, text);
    setAttribute(this.#connection, 'class', `connection ${level}`);
  }
}
