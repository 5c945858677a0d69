/** HTTP to the BNG: requests, answers as values, and the event stream. Knows no command and prints nothing. */
import type { ProblemAnswer } from './api-answers.js';

const ANSWER_DEADLINE_MS = 15_000;

export type Answer<Body> =
  | { readonly kind: 'ok'; readonly body: Body }
  | { readonly kind: 'refused'; readonly problem: ProblemAnswer }
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface ApiClientOptions {
  readonly baseUrl: URL;
  readonly token: string | null;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says "fetch failed" and keeps what happened in its cause.
  const cause = error.cause as { readonly code?: string; readonly message?: string } | undefined;
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_DEADLINE_MS / 1000} s`;
  return cause?.code ?? cause?.message ?? error.message;
}

async function readProblem(response: Response): Promise<ProblemAnswer> {
  const text = await response.text();
  if (response.headers.get('content-type')?.startsWith('application/problem+json') === true) {
    return JSON.parse(text) as ProblemAnswer;
  }
  return { status: response.status, title: response.statusText, detail: 'the answer is not from a BNG' };
}

export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  async get<Body>(path: string): Promise<Answer<Body>> {
    return this.#ask<Body>(path, { method: 'GET' });
  }

  async post<Body>(path: string, body: object): Promise<Answer<Body>> {
    return this.#ask<Body>(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Hands every event's JSON text to `onEvent` until the BNG ends the stream, which counts as unreachable. */
  async events(onEvent: (json: string) => void): Promise<Answer<never>> {
    try {
      const response = await this.#fetch('/api/v1/events', {});
      if (!response.ok) return { kind: 'refused', problem: await readProblem(response) };
      let rest = '';
      const decoder = new TextDecoder();
      for await (const bytes of response.body ?? []) {
        rest += decoder.decode(bytes as Uint8Array, { stream: true });
        const blocks = rest.split('\n\n');
        rest = blocks.pop() ?? '';
        for (const line of blocks.flatMap((block) => block.split('\n'))) {
          if (line.startsWith('data: ')) onEvent(line.slice('data: '.length));
        }
      }
      return { kind: 'unreachable', reason: 'the BNG ended the stream' };
    } catch (error) {
      return { kind: 'unreachable', reason: reasonOf(error) };
    }
  }

  async #ask<Body>(path: string, init: RequestInit): Promise<Answer<Body>> {
    try {
      const response = await this.#fetch(path, { ...init, signal: AbortSignal.timeout(ANSWER_DEADLINE_MS) });
      if (!response.ok) return { kind: 'refused', problem: await readProblem(response) };
      return { kind: 'ok', body: (await response.json()) as Body };
    } catch (error) {
      return { kind: 'unreachable', reason: reasonOf(error) };
    }
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#options.token !== null) headers.set('authorization', `Bearer ${this.#options.token}`);
    return fetch(new URL(path, this.#options.baseUrl), { ...init, headers, redirect: 'error' });
  }
}
