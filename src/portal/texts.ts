/** Every word of the portal in every language it speaks, and the choice between them. One table; no markup. */

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** One text in each language. */
export type Localized = Readonly<Record<Language, string>>;

const EN = {
  languageName: 'English',
  languageNav: 'Language',
  discoveredTitle: 'Your line is being set up',
  discoveredText: 'We have just seen your equipment. Please wait a moment.',
  wgarTitle: 'Your line is not activated yet',
  wgarText: 'Your equipment is connected. The internet opens as soon as your order is activated.',
  wgarOffers: 'Your equipment is connected. Choose what you would like to have; it is activated at once.',
  activatingTitle: 'Your line is being activated',
  activatingText:
    'This takes about a minute. The connection is interrupted for a moment; your equipment gets a new address on its own.',
  activeTitle: 'Your line is active',
  activeText: 'The internet is open. There is nothing to do here.',
  suspendedTitle: 'Your line is suspended',
  suspendedText: 'The internet is closed for now; your equipment and settings can stay as they are.',
  suspendedWhatToDo: 'Please contact your provider to have it opened again. The line opens on its own then.',
  terminatedTitle: 'Your line is closed',
  terminatedText: 'Please contact your provider if this is a surprise.',
  strangerTitle: 'This page is for subscribers',
  strangerText: 'No line belongs to the address you come from.',
  failedText: 'The activation did not succeed, and nothing has changed. Please try again in a moment.',
  refusedTitle: 'This was not understood',
  refusedText: 'The form was too old or came from another page. Please go back to the start and try again.',
  readOnlyTitle: 'There is nothing to send here',
  unknownTitle: 'There is no such page',
  tooLongTitle: 'This was too long',
  errorTitle: 'Something went wrong',
  errorText: 'Please try again in a moment.',
  startLink: 'Go to the start',
  continueLink: 'Go on to',
  movedText: 'This is not the page you asked for. What you can do is said here:',
  factsTitle: 'Your line',
  factState: 'State',
  factReason: 'Reason',
  factService: 'Service',
  factOnt: 'ONT',
  factAddress: 'Address',
  stateDiscovered: 'being set up',
  stateWgar: 'not activated',
  stateActivating: 'being activated',
  stateActive: 'active',
  stateSuspended: 'suspended',
  stateTerminated: 'closed',
  offersTitle: 'Offers',
  download: 'Download',
  upload: 'Upload',
  unlimited: 'unlimited',
  activate: 'Activate',
  progressTitle: 'Progress',
  progressOrdered: 'Order received',
  progressLine: 'Line is switched over',
  progressAddress: 'New address',
  progressDone: 'done',
  progressNow: 'under way',
  progressLater: 'to come',
  contactTitle: 'Contact',
};

export type Texts = Readonly<Record<keyof typeof EN, string>>;

const DE: Texts = {
  languageName: 'Deutsch',
  languageNav: 'Sprache',
  discoveredTitle: 'Ihr Anschluss wird eingerichtet',
  discoveredText: 'Wir haben Ihr Gerät gerade gesehen. Bitte einen Moment Geduld.',
  wgarTitle: 'Ihr Anschluss ist noch nicht freigeschaltet',
  wgarText: 'Ihr Gerät ist verbunden. Das Internet öffnet sich, sobald Ihr Auftrag freigeschaltet ist.',
  wgarOffers: 'Ihr Gerät ist verbunden. Wählen Sie aus, was Sie möchten; es wird sofort freigeschaltet.',
  activatingTitle: 'Ihr Anschluss wird freigeschaltet',
  activatingText:
    'Das dauert etwa eine Minute. Die Verbindung bricht kurz ab; Ihr Gerät bekommt von selbst eine neue Adresse.',
  activeTitle: 'Ihr Anschluss ist freigeschaltet',
  activeText: 'Das Internet ist offen. Hier ist nichts weiter zu tun.',
  suspendedTitle: 'Ihr Anschluss ist gesperrt',
  suspendedText:
    'Das Internet ist vorerst geschlossen; Gerät und Einstellungen können bleiben, wie sie sind.',
  suspendedWhatToDo:
    'Bitte wenden Sie sich an Ihren Anbieter, um ihn wieder zu öffnen. Danach öffnet er sich von selbst.',
  terminatedTitle: 'Ihr Anschluss ist geschlossen',
  terminatedText: 'Bitte wenden Sie sich an Ihren Anbieter, falls Sie das überrascht.',
  strangerTitle: 'Diese Seite ist für Anschlussinhaber',
  strangerText: 'Zu Ihrer Adresse gehört kein Anschluss.',
  failedText:
    'Die Freischaltung ist nicht gelungen, es hat sich nichts geändert. Bitte versuchen Sie es gleich noch einmal.',
  refusedTitle: 'Das wurde nicht verstanden',
  refusedText:
    'Das Formular war zu alt oder kam von einer anderen Seite. Bitte gehen Sie zum Anfang und versuchen Sie es noch einmal.',
  readOnlyTitle: 'Hier gibt es nichts zu senden',
  unknownTitle: 'Diese Seite gibt es nicht',
  tooLongTitle: 'Das war zu lang',
  errorTitle: 'Etwas ist schiefgegangen',
  errorText: 'Bitte versuchen Sie es gleich noch einmal.',
  startLink: 'Zum Anfang',
  continueLink: 'Weiter zu',
  movedText: 'Das ist nicht die Seite, die Sie wollten. Was Sie tun können, steht hier:',
  factsTitle: 'Ihr Anschluss',
  factState: 'Zustand',
  factReason: 'Grund',
  factService: 'Dienst',
  factOnt: 'ONT',
  factAddress: 'Adresse',
  stateDiscovered: 'wird eingerichtet',
  stateWgar: 'nicht freigeschaltet',
  stateActivating: 'wird freigeschaltet',
  stateActive: 'freigeschaltet',
  stateSuspended: 'gesperrt',
  stateTerminated: 'geschlossen',
  offersTitle: 'Angebote',
  download: 'Herunterladen',
  upload: 'Hochladen',
  unlimited: 'unbegrenzt',
  activate: 'Freischalten:',
  progressTitle: 'Fortschritt',
  progressOrdered: 'Auftrag angenommen',
  progressLine: 'Anschluss wird umgeschaltet',
  progressAddress: 'Neue Adresse',
  progressDone: 'erledigt',
  progressNow: 'läuft',
  progressLater: 'kommt noch',
  contactTitle: 'Kontakt',
};

export const TEXTS: Readonly<Record<Language, Texts>> = { en: EN, de: DE };

export function isLanguage(text: string | null): text is Language {
  return LANGUAGES.some((language) => language === text);
}

/** More ranges than a browser sends are not looked at. */
const MOST_RANGES = 20;

/** The language that an Accept-Language header likes best (RFC 9110 §12.5.4); the first of the table if none. */
export function preferredLanguage(header: string | undefined): Language {
  const ranges = (header ?? '').split(',', MOST_RANGES).flatMap((range) => {
    const [tag = '', quality] = range
      .trim()
      .toLowerCase()
      .split(/\s*;\s*q=/, 2);
    const weight = quality === undefined ? 1 : Number(quality);
    const language = tag.split('-', 1)[0] ?? '';
    return isLanguage(language) && weight > 0 && weight <= 1 ? [{ language, weight }] : [];
  });
  return ranges.reduce((best, one) => (one.weight > best.weight ? one : best), {
    language: LANGUAGES[0],
    weight: 0,
  }).language;
}
