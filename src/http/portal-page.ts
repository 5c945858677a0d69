/** The portal's pages as HTML text: one for each state of a line, and the refusal. No HTTP, no JavaScript. */
import { createHash } from 'node:crypto';
import { formatIpv4 } from '../model/ipv4.js';
import type { SessionStateName, SessionView } from '../session/view.js';

const STYLE =
  'body{font:18px/1.5 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.5rem;color:#1c2733;' +
  'background:#f5f7f9}main{background:#fff;padding:2rem;border-radius:.5rem;border-top:.4rem solid #0b6e99}' +
  'h1{font-size:1.5rem;margin-top:0}dt{color:#5b6773;font-size:.85rem}dd{margin:0 0 .6rem;font-family:monospace}';

/** Allows this one style sheet and nothing else: no script, no form, no frame, no request to anywhere. */
export const PORTAL_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TEXTS: Readonly<Record<SessionStateName, { readonly title: string; readonly text: string }>> = {
  discovered: {
    title: 'Your line is being set up',
    text: 'We have just seen your equipment. Please wait a moment.',
  },
  wgar: {
    title: 'Your line is not activated yet',
    text: 'Your equipment is connected. The internet opens as soon as your order is activated.',
  },
  activating: {
    title: 'Your line is being activated',
    text: 'This takes about a minute. Your equipment gets a new address on its own.',
  },
  active: { title: 'Your line is active', text: 'The internet is open. There is nothing to do here.' },
  suspended: {
    title: 'Your line is suspended',
    text: 'Please contact your provider to have it opened again.',
  },
  terminated: { title: 'Your line is closed', text: 'Please contact your provider if this is a surprise.' },
};

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Makes text safe between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

function page(title: string, body: string, refreshSeconds: number | null): string {
  const refresh = refreshSeconds === null ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">\n`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${refresh}<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

/** The page for a subscriber whose line we know. Lines on their way to another state load it again by themselves. */
export function linePage(session: SessionView): string {
  const { title, text } = TEXTS[session.state];
  const facts = [
    ['State', session.state],
    ['Reason', session.suspendedFor],
    ['ONT', session.ontSerial],
    ['Address', session.address === null ? null : formatIpv4(session.address)],
  ] as const;
  const rows = facts.flatMap(([name, value]) =>
    value === null ? [] : [`<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`],
  );
  const onItsWay = session.state === 'discovered' || session.state === 'activating';
  return page(title, `<p>${escapeHtml(text)}</p>\n<dl>\n${rows.join('\n')}\n</dl>`, onItsWay ? 10 : null);
}

/** The page for everybody else. */
export function strangerPage(): string {
  return page('This page is for subscribers', '<p>No line belongs to the address you come from.</p>', null);
}

/** The page for a request that is not a plain read. */
export function readOnlyPage(): string {
  return page('This page can only be read', '<p>There is nothing to send here.</p>', null);
}
