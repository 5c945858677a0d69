/** A request out of an input: a line with method and target, a line each for Host and Content-Type, and a body. */
import type { InjectOptions } from 'fastify';
import { bytesOf } from './fuzz-target.js';

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'] as const;
/** What a header can hold at all: others the parser of HTTP refuses before we see them. */
const HEADER_TEXT = /^[\t\x20-\x7e\x80-\xff]*$/;

export function requestText(line: string, host: string, type = '', body = ''): Uint8Array {
  return bytesOf(`${line}\n${host}\n${type}\n${body}`);
}

/** Null for what no client could send. */
export function requestOf(input: Uint8Array): (InjectOptions & { readonly url: string }) | null {
  const text = Buffer.from(input).toString('latin1');
  const [line = '', host = '', type = '', ...body] = text.split('\n');
  const [word = '', url = ''] = line.split(' ');
  const method = METHODS.find((known) => known === word);
  if (method === undefined || !/^[/h]/.test(url) || !URL.canParse(url, 'http://localhost')) return null;
  if (!HEADER_TEXT.test(host) || !HEADER_TEXT.test(type)) return null;
  const payload = Buffer.from(body.join('\n'), 'latin1');
  return {
    method,
    url,
    headers: { host, ...(type === '' ? {} : { 'content-type': type }) },
    ...(payload.length === 0 ? {} : { payload }),
  };
}
