/** HTTP to the BNG: requests, answers as values, and the event stream. Knows no command and prints nothing. */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ProblemAnswer } from './api-answers.js';

const SILENCE_DEADLINE_MS = 40_000;

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
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
  return text;
}

async function readProblem(response: IncomingMessage): Promise<ProblemAnswer> {
  const text = await readText(response);
  if (response.headers['content-type']?.startsWith('application/problem+json') === true) {
    return JSON.parse(text) as ProblemAnswer;
  }
  const title = response.statusMessage ?? '';
  return { status: response.statusCode ?? 0, title, detail: 'the answer is not from a BNG' };
}

// Node's own client and not fetch: that of Node 20 never settles when the peer hangs up before it answers.
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  async get<Body>(path: string): Promise<Answer<Body>> {
    return this.#ask<Body>('GET', path, null);
  }

  async post<Body>(path: string, body: object): Promise<Answer<Body>> {
    return this.#ask<Body>('POST', path, JSON.stringify(body));
  }

  /** Hands every event's JSON text to `onEvent` until the BNG ends the stream, which counts as unreachable. */
  async events(onEvent: (json: string) => void): Promise<Answer<never>> {
    try {
      const response = await this.#send('GET', '/api/v1/events', null);
      if (response.statusCode !== 200) return { kind: 'refused', problem: await readProblem(response) };
      let rest = '';
      for await (const chunk of response.setEncoding('utf8')) {
        const lines = `${rest}${String(chunk)}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line.startsWith('data: ')) onEvent(line.slice('data: '.length));
      }
      return { kind: 'unreachable', reason: 'the BNG ended the stream' };
    } catch (error) {
      return { kind: 'unreachable', reason: reasonOf(error) };
    }
  }

  async #ask<Body>(method: string, path: string, body: string | null): Promise<Answer<Body>> {
    try {
      const response = await this.#send(method, path, body);
      if (response.statusCode !== 200) return { kind: 'refused', problem: await readProblem(response) };
      return { kind: 'ok', body: JSON.parse(await readText(response)) as Body };
    } catch (error) {
      return { kind: 'unreachable', reason: reasonOf(error) };
    }
  }

  /** Resolves with the head of the answer. The deadline is on silence: heartbeats keep an event stream alive. */
  #send(method: string, path: string, body: string | null): Promise<IncomingMessage> {
    const { baseUrl, token } = this.#options;
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === null
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const request = baseUrl.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, baseUrl), { method, headers, agent: false }, resolve);
      sent.setTimeout(SILENCE_DEADLINE_MS, () =>
        sent.destroy(new Error(`nothing came for ${SILENCE_DEADLINE_MS / 1000} s`)),
      );
      sent.once('error', reject);
      sent.end(body ?? undefined);
    });
  }
}
