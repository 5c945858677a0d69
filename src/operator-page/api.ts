/**
 * The API as the page uses it. Keeps the token, in the session storage of this tab: it goes with each request by hand, so that
 * no other page can send it, and it ends with the tab.
 */
import { EventParser } from './event-parser.js';
import type { ServerSentEvent } from './event-parser.js';

const TOKEN = 'bng-token';
const DEADLINE_MS = 10_000;
/** The server says something at least every second. */
const SILENCE_MS = 10_000;

/** What the API refused, in its own words (RFC 9457). */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(detail);
    this.status = status;
  }
}

export interface SessionRow {
  readonly id: string;
  readonly ont_serial: string | null;
  readonly circuit_id: string | null;
  readonly state: string;
  readonly lease_phase: string;
  readonly attachment: { readonly s_vlan: number; readonly c_vlan: number; readonly mac: string } | null;
  readonly service_id: string | null;
  readonly pool: string | null;
  readonly download_bps: number | null;
  readonly upload_bps: number | null;
  readonly address: string | null;
  readonly held_address: string | null;
  readonly created_at: string;
  readonly state_since: string;
  readonly lease_expires_at: string | null;
  readonly suspended_for: string | null;
}

export interface SessionPage {
  readonly sessions: readonly SessionRow[];
  readonly next_cursor: string | null;
}

export interface SessionDetail extends SessionRow {
  readonly traffic: {
    readonly upstream_packets: string;
    readonly upstream_bytes: string;
    readonly downstream_packets: string;
    readonly downstream_bytes: string;
  } | null;
  readonly subscriber_id?: string;
  readonly authentication?: {
    readonly at: string;
    readonly took_ms: number;
    readonly outcome: string;
    readonly reason: string | null;
  } | null;
  readonly accounting?: { readonly session_id: string; readonly started_at: string } | null;
  readonly kernel: { readonly garden_member: boolean | null } | null;
  readonly events: readonly {
    readonly type: string;
    readonly at: string;
    readonly session: { readonly id: string; readonly ont_serial: string | null };
    readonly [member: string]: unknown;
  }[];
}

export type OrderName = 'activate' | 'suspend' | 'resume' | 'terminate';

export class Api {
  #token: string | null;
  readonly #onSignedOut: (reason: string) => void;

  /** `onSignedOut` is told when the API no longer takes the token. */
  constructor(onSignedOut: (reason: string) => void) {
    this.#token = sessionStorage.getItem(TOKEN);
    this.#onSignedOut = onSignedOut;
  }

  get isSignedIn(): boolean {
    return this.#token !== null;
  }

  /** Keeps the token if the API takes it; throws what it says otherwise. */
  async signIn(token: string): Promise<void> {
    await this.#fetch('/api/v1/sessions?limit=1', { token });
    this.#token = token;
    sessionStorage.setItem(TOKEN, token);
  }

  signOut(): void {
    this.#token = null;
    sessionStorage.removeItem(TOKEN);
  }

  async sessions(query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<SessionPage> {
    const answer = await this.#call(`/api/v1/sessions?${new URLSearchParams(query).toString()}`, { signal });
    return (await answer.json()) as SessionPage;
  }

  /** Found by ONT serial, address, MAC, circuit-id or session id; null where nothing matches. */
  async session(key: string): Promise<SessionDetail | null> {
    try {
      const answer = await this.#call(`/api/v1/sessions/${encodeURIComponent(key)}`);
      return (await answer.json()) as SessionDetail;
    } catch (error) {
      if (error instanceof Refusal && (error.status === 404 || error.status === 400)) return null;
      throw error;
    }
  }

  /** Resolves when the BNG has carried it out, as far as it does so at once. */
  async order(name: OrderName, body: object): Promise<void> {
    await this.#call(`/api/v1/${name}`, { body: JSON.stringify(body) });
  }

  /** Follows the overview until the connection ends or `signal` says so. */
  async follow(onEvent: (event: ServerSentEvent) => void, signal: AbortSignal): Promise<void> {
    const silence = new AbortController();
    const answer = await this.#call('/api/v1/overview', {
      signal: AbortSignal.any([signal, silence.signal]),
      lasting: true,
    });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) return;
    const parser = new EventParser();
    for (;;) {
      const timer = setTimeout(() => silence.abort(), SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      for (const event of parser.push(value)) onEvent(event);
    }
  }

  async #call(path: string, options: CallOptions = {}): Promise<Response> {
    try {
      return await this.#fetch(path, { ...options, token: this.#token ?? '' });
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) {
        this.signOut();
        this.#onSignedOut('The token is no longer accepted.');
      }
      throw error;
    }
  }

  async #fetch(path: string, options: CallOptions & { readonly token: string }): Promise<Response> {
    const { token, body, signal, lasting = false } = options;
    const signals = [
      ...(lasting ? [] : [AbortSignal.timeout(DEADLINE_MS)]),
      ...(signal === undefined ? [] : [signal]),
    ];
    const answer = await fetch(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      credentials: 'omit',
      cache: 'no-store',
      signal: AbortSignal.any(signals),
      ...(body === undefined ? {} : { body }),
    });
    if (answer.ok) return answer;
    throw new Refusal(answer.status, await refusalText(answer));
  }
}

interface CallOptions {
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Without a deadline for the whole. */
  readonly lasting?: boolean;
}

async function refusalText(answer: Response): Promise<string> {
  try {
    const { detail } = (await answer.json()) as { readonly detail?: unknown };
    if (typeof detail === 'string') return detail;
  } catch {
    // Not the API's own answer: a proxy's, or none at all. The status is what there is to say.
  }
  return `The BNG answered ${answer.status} ${answer.statusText}.`;
}

/** What to show a person of anything thrown by the API. */
export function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  if (error instanceof DOMException && error.name === 'TimeoutError')
    return 'The BNG did not answer in time.';
  return 'The BNG cannot be reached.';
}
