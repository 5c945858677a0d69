/**
 * What a request is for: a page of the portal, or one elsewhere whose address is kept. The only reader of the request
 * line and of the Host header; whatever they hold, a value comes out that is safe in a header and in a page.
 */

import { CAPTIVE_API_PATH } from '../model/captive-portal.js';

/** Paths of the portal itself. */
export const PORTAL_PATHS = {
  page: '/',
  activate: '/activate',
  captiveApi: CAPTIVE_API_PATH,
  state: '/state',
} as const;

export type RequestTarget =
  | { readonly kind: 'portal'; readonly path: string; readonly query: URLSearchParams }
  /** `url` is what was asked for, or null when it cannot be said. */
  | { readonly kind: 'elsewhere'; readonly url: string | null };

/** Longer addresses are not kept: nobody would recognise them, and they come back in every link. */
const LONGEST_KEPT = 1_024;
const HOST = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?$/i;

/** `own` is host[:port] as the portal's own address bar shows it. */
export function readTarget(url: string, host: string | undefined, own: string): RequestTarget {
  // RFC 9112 §3.2.2: in absolute form the request line says it, whatever the Host header says.
  const absolute = /^http:\/\/([^/?#]*)(.*)$/is.exec(url);
  const authority = (absolute?.[1] ?? host ?? '').toLowerCase();
  const rest = absolute === null ? url : (absolute[2] ?? '');
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  if (authority === own || authority === `${own}:80`) {
    const [name = '', query = ''] = splitOnce(path, '?');
    return { kind: 'portal', path: name, query: new URLSearchParams(query) };
  }
  if (!HOST.test(authority) || (!url.startsWith('/') && absolute === null)) {
    return { kind: 'elsewhere', url: null };
  }
  return { kind: 'elsewhere', url: keptUrl(`http://${authority}${path}`) };
}

/** An address that a page may link to, in its normal form; null for anything but a plain web address. */
export function keptUrl(text: string | null): string | null {
  if (text === null || text.length > LONGEST_KEPT || !URL.canParse(text)) return null;
  const url = new URL(text);
  const plain =
    (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === '';
  return plain && url.href.length <= LONGEST_KEPT ? url.href : null;
}

function splitOnce(text: string, at: string): readonly string[] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
