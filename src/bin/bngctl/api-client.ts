/** HTTP to the BNG, over TCP or its unix socket: requests, answers as values, and the event stream. Knows no command and prints nothing. */
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { EventParser } from '../../operator-page/event-parser.js';
import type { ProblemAnswer } from './api-answers.js';

const SILENCE_DEADLINE_MS = 40_000;

export type Answer<Body> =
  | { readonly kind: 'ok'; readonly body: Body }
  | { readonly kind: 'refused'; readonly problem: ProblemAnswer }
  | { readonly kind: 'unreachable'; readonly reason: string };

export type ApiClientOptions =
  | { readonly kind: 'socket'; readonly path: string }
  | {
      readonly kind: 'http';
      readonly baseUrl: URL;
      readonly token: string | null;
      /** PEM of who signed the BNG's certificate, where the system does not know it. */
      readonly ca?: string;
    };

/** A BNG that is asked too often says when to come back. */
const MOST_RETRIES = 5;
const LONGEST_RETRY_SECONDS = 10;

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

  /** For messages: where the BNG was looked for. */
  get where(): string {
    return this.#options.kind === 'socket' ? this.#options.path : this.#options.baseUrl.origin;
  }

  async get<Body>(path: string): Promise<Answer<Body>> {
    return this.#ask<Body>('GET', path, null);
  }

  async post<Body>(path: string, body: object): Promise<Answer<Body>> {
    return this.#ask<Body>('POST', path, JSON.stringify(body));
  }

  /** Hands every event's JSON text to `onEvent` until the BNG ends the stream, which counts as unreachable. */
  async events(path: string, onEvent: (json: string) => void): Promise<Answer<never>> {
    try {
      const response = await this.#send('GET', path, null);
      if (response.statusCode !== 200) return { kind: 'refused', problem: await readProblem(response) };
      const parser = new EventParser();
      for await (const chunk of response.setEncoding('utf8'))
        for (const { data } of parser.push(String(chunk))) onEvent(data);
      return { kind: 'unreachable', reason: 'the BNG ended the stream' };
    } catch (error) {
      return { kind: 'unreachable', reason: reasonOf(error) };
    }
  }

  async #ask<Body>(method: string, path: string, body: string | null): Promise<Answer<Body>> {
    try {
      const response = await this.#sendPatiently(method, path, body);
      if (response.statusCode !== 200) return { kind: 'refused', problem: await readProblem(response) };
      return { kind: 'ok', body: JSON.parse(await readText(response)) as Body };
    } catch (error) {
      return { kind: 'unreachable', reason: reasonOf(error) };
    }
  }

  async #sendPatiently(method: string, path: string, body: string | null): Promise<IncomingMessage> {
    for (let retries = 0; ; retries++) {
      const response = await this.#send(method, path, body);
      const seconds = Number(response.headers['retry-after'] ?? Number.NaN);
      const isWorthIt = response.statusCode === 429 && seconds <= LONGEST_RETRY_SECONDS;
      if (!isWorthIt || retries === MOST_RETRIES) return response;
      response.resume();
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }

  /** Resolves with the head of the answer. The deadline is on silence: heartbeats keep an event stream alive. */
  #send(method: string, path: string, body: string | null): Promise<IncomingMessage> {
    const options = this.#options;
    const token = options.kind === 'http' ? options.token : null;
    const headers = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === null
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const common = { method, headers, agent: false };
      const sent =
        options.kind === 'socket'
          ? httpRequest({ ...common, socketPath: options.path, path, host: 'localhost' }, resolve)
          : options.baseUrl.protocol === 'https:'
            ? httpsRequest(new URL(path, options.baseUrl), { ...common, ca: options.ca }, resolve)
            : httpRequest(new URL(path, options.baseUrl), common, resolve);
      sent.setTimeout(SILENCE_DEADLINE_MS, () =>
        sent.destroy(new Error(`nothing came for ${SILENCE_DEADLINE_MS / 1000} s`)),
      );
      sent.once('error', reject);
      sent.end(body ?? undefined);
    });
  }
}
