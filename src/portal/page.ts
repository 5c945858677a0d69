/** The portal's pages as HTML text, made of templates and texts. No HTTP, no decision about a line. */
import { createHash } from 'node:crypto';
import { formatIpv4 } from '../model/ipv4.js';
import type { SessionStateName, SessionView } from '../session/view.js';
import type { Offer } from './offer.js';
import type { OrderState } from './orders.js';
import { PORTAL_PATHS } from './request-target.js';
import { escapeHtml } from './templates.js';
import type { Templates } from './templates.js';
import { LANGUAGES } from './texts.js';
import type { Language, Localized, Texts } from './texts.js';

/** What a page says beside the line: whom it speaks for, in which words, and where the subscriber was going. */
export interface PageContext {
  readonly templates: Templates;
  readonly provider: string;
  readonly contact: Localized | null;
  readonly language: Language;
  /** The address asked for first; kept in every link. */
  readonly from: string | null;
}

export interface LineFacts {
  readonly session: SessionView;
  readonly order: OrderState | null;
  readonly offers: readonly Offer[];
  /** For the form of the offers. */
  readonly token: string;
}

/** What the pages without a line have to say. */
export type Notice = 'stranger' | 'refused' | 'readOnly' | 'unknown' | 'tooLong' | 'error';

const REFRESH_SECONDS = 5;

/**
 * Nothing needs it. While something is under way it asks in the background, so that a page is not replaced by the
 * browser's own complaint when the line is interrupted.
 */
const SCRIPT = `(()=>{const at=document.querySelector('[data-state]');if(!at)return;
const ask=async()=>{try{const answer=await fetch('${PORTAL_PATHS.state}',{cache:'no-store',signal:AbortSignal.timeout(3000)});
if(answer.ok&&(await answer.text())!==at.dataset.state)return location.replace(at.dataset.next)}catch{}
setTimeout(ask,1000)};setTimeout(ask,1000)})()`;

/** Allows this style sheet and script, forms to the portal itself, and nothing else. */
export function contentSecurityPolicy(templates: Templates): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `style-src ${hash(templates.style)}`,
    `script-src ${hash(SCRIPT)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** The state as the page shows it: an order is under way before the session says so. */
export function shownState({ session, order }: Pick<LineFacts, 'session' | 'order'>): SessionStateName {
  return session.state === 'wgar' && order === 'ordered' ? 'activating' : session.state;
}

const STATE_TEXTS = {
  discovered: ['discoveredTitle', 'discoveredText', 'stateDiscovered'],
  wgar: ['wgarTitle', 'wgarText', 'stateWgar'],
  activating: ['activatingTitle', 'activatingText', 'stateActivating'],
  active: ['activeTitle', 'activeText', 'stateActive'],
  suspended: ['suspendedTitle', 'suspendedText', 'stateSuspended'],
  terminated: ['terminatedTitle', 'terminatedText', 'stateTerminated'],
} as const satisfies Readonly<Record<SessionStateName, readonly (keyof Texts)[]>>;

/** The page for a subscriber whose line we know. */
export function linePage(context: PageContext, facts: LineFacts): string {
  const state = shownState(facts);
  const texts = textsOf(context);
  const [title, text] = STATE_TEXTS[state];
  const choosing = state === 'wgar' && facts.session.ontSerial !== null && facts.offers.length > 0;
  const moving = state === 'discovered' || state === 'activating';
  const next = linkTo(context, context.language);
  const content = [
    facts.order === 'failed' && state === 'wgar'
      ? `<p class="notice" role="alert">${escapeHtml(texts.failedText)}</p>`
      : '',
    paragraph(choosing ? texts.wgarOffers : texts[text]),
    state === 'suspended' ? `<p class="notice">${escapeHtml(texts.suspendedWhatToDo)}</p>` : '',
    state === 'activating' ? progress(texts, facts.session) : '',
    moving ? `<p role="status" data-state="${state}" data-next="${escapeHtml(next)}"></p>` : '',
    choosing ? offerForm(context, facts) : '',
    state === 'active' && context.from !== null ? onwards(texts.continueLink, context.from) : '',
    factList(context, facts, state),
    state === 'active' ? '' : contactOf(context),
  ];
  const head = moving
    ? `<noscript><meta http-equiv="refresh" content="${REFRESH_SECONDS};url=${escapeHtml(next)}"></noscript>`
    : '';
  return page(context, texts[title], [...content, moving ? `<script>${SCRIPT}</script>` : ''], head);
}

/** A page about no line. */
export function noticePage(context: PageContext, notice: Notice): string {
  const texts = textsOf(context);
  const start = `<p><a href="${escapeHtml(linkTo(context, context.language))}">${escapeHtml(texts.startLink)}</a></p>`;
  switch (notice) {
    case 'stranger':
      return page(context, texts.strangerTitle, [paragraph(texts.strangerText), contactOf(context)]);
    case 'refused':
      return page(context, texts.refusedTitle, [paragraph(texts.refusedText), start]);
    case 'error':
      return page(context, texts.errorTitle, [paragraph(texts.errorText), start]);
    case 'readOnly':
      return page(context, texts.readOnlyTitle, [start]);
    case 'unknown':
      return page(context, texts.unknownTitle, [start]);
    case 'tooLong':
      return page(context, texts.tooLongTitle, [start]);
  }
}

/** The body of a redirect, for clients that do not follow it on their own. */
export function movedPage(context: PageContext, session: SessionView | null, location: string): string {
  const texts = textsOf(context);
  const title = session === null ? texts.strangerTitle : texts[STATE_TEXTS[session.state][0]];
  return page(context, title, [onwards(texts.movedText, location)]);
}

function textsOf({ templates, language }: PageContext): Texts {
  return templates.texts[language];
}

function page(context: PageContext, title: string, content: readonly string[], head = ''): string {
  return context.templates.render('page.html', {
    lang: context.language,
    title,
    provider: context.provider,
    style: context.templates.style,
    head,
    content: content.filter((part) => part !== '').join('\n'),
    languages: languageSwitch(context),
  });
}

function paragraph(text: string): string {
  return `<p>${escapeHtml(text)}</p>`;
}

function onwards(text: string, url: string): string {
  return `<p>${escapeHtml(text)} <a href="${escapeHtml(url)}" rel="noreferrer">${escapeHtml(url)}</a></p>`;
}

function linkTo({ from }: PageContext, language: Language): string {
  const query = new URLSearchParams({ lang: language, ...(from === null ? {} : { from }) });
  return `${PORTAL_PATHS.page}?${query.toString()}`;
}

function languageSwitch(context: PageContext): string {
  const items = LANGUAGES.map((language) => {
    const name = escapeHtml(context.templates.texts[language].languageName);
    return language === context.language
      ? `<li><strong aria-current="true">${name}</strong></li>`
      : `<li><a href="${escapeHtml(linkTo(context, language))}" lang="${language}" hreflang="${language}">${name}</a></li>`;
  });
  return `<nav aria-label="${escapeHtml(textsOf(context).languageNav)}"><ul>${items.join('')}</ul></nav>`;
}

function factList(context: PageContext, { session }: LineFacts, state: SessionStateName): string {
  const texts = textsOf(context);
  const facts = [
    [texts.factState, texts[STATE_TEXTS[state][2]]],
    [texts.factReason, session.suspendedFor],
    [texts.factService, state === 'active' ? (session.profile?.serviceId ?? null) : null],
    [texts.factOnt, session.ontSerial],
    [texts.factAddress, session.address === null ? null : formatIpv4(session.address)],
  ] as const;
  const rows = facts.flatMap(([name, value]) =>
    value === null ? [] : [`<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`],
  );
  return `<h2>${escapeHtml(texts.factsTitle)}</h2>\n<dl>\n${rows.join('\n')}\n</dl>`;
}

function progress(texts: Texts, session: SessionView): string {
  const ordered = session.state === 'activating';
  const moved = ordered && session.leasePhase !== 'bound';
  const steps = [
    [texts.progressOrdered, 'Done'],
    [texts.progressLine, moved ? 'Done' : 'Now'],
    [texts.progressAddress, moved ? 'Now' : 'Later'],
  ] as const;
  const items = steps.map(
    ([name, how]) => `<li>${escapeHtml(name)} <small>(${escapeHtml(texts[`progress${how}`])})</small></li>`,
  );
  return `<h2>${escapeHtml(texts.progressTitle)}</h2>\n<ol class="progress">${items.join('')}</ol>`;
}

function contactOf({ templates, contact, language }: PageContext): string {
  if (contact === null) return '';
  return `<h2>${escapeHtml(templates.texts[language].contactTitle)}</h2>\n${paragraph(contact[language])}`;
}

function offerForm(context: PageContext, { offers, token }: LineFacts): string {
  const { templates, language, from } = context;
  const texts = textsOf(context);
  const rate = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const shown = (bits: number): string =>
    bits === 0 ? texts.unlimited : `${rate.format(bits / 1e6)} Mbit/s`;
  const items = offers.map((offer) =>
    templates.render('offer.html', {
      name: offer.name[language],
      description: offer.description?.[language] ?? '',
      downloadLabel: texts.download,
      download: shown(offer.downloadBitsPerSecond),
      uploadLabel: texts.upload,
      upload: shown(offer.uploadBitsPerSecond),
      button: `<button name="offer" value="${escapeHtml(offer.serviceId)}">${escapeHtml(`${texts.activate} ${offer.name[language]}`)}</button>`,
    }),
  );
  const hidden = { token, lang: language, ...(from === null ? {} : { from }) };
  const fields = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`,
  );
  return `<h2>${escapeHtml(texts.offersTitle)}</h2>
<form method="post" action="${PORTAL_PATHS.activate}">
${fields.join('\n')}
<ul class="offers">
${items.join('')}</ul>
</form>`;
}
