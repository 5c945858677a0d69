/** Instants as people read them. */

/** `2026-01-02T03:04:05.678Z` → `2026-01-02 03:04:05Z`. */
export function shortInstant(instant: string): string {
  return instant.replace('T', ' ').replace(/\.[0-9]+Z$/, 'Z');
}

/** `2026-01-02T03:04:05.678Z` → `03:04:05.678`. */
export function timeOfDay(instant: string): string {
  return instant.replace(/^.*T/, '').replace(/Z$/, '');
}
