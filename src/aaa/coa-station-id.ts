/** Reads a MAC address as AAA servers write it in Calling-Station-Id. Knows nothing else of RADIUS. */
import type { Mac } from '../model/mac.js';

const FORMS = [
  /^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i,
  /^[0-9a-f]{4}([.:-])[0-9a-f]{4}\1[0-9a-f]{4}$/i,
  /^[0-9a-f]{6}([.:-]?)[0-9a-f]{6}$/i,
];

/**
 * Reads `02-00-00-aa-bb-cc` (RFC 3580 §3.21), the same with colons, `0200.00aa.bbcc`, `020000-aabbcc` and bare digits;
 * one kind of separator at a time. Null for anything else.
 */
export function macOfStationId(text: string): Mac | null {
  if (!FORMS.some((form) => form.test(text))) return null;
  return Number.parseInt(text.replaceAll(/[.:-]/g, ''), 16) as Mac;
}
