/** Numbers, rates and times as people read them. Pure: no document, no clock. */

const UNITS = ['', 'k', 'M', 'G', 'T'] as const;
const WHOLE = new Intl.NumberFormat('en');

export const NOTHING = '–';

/** 1,234,567. Takes the decimal strings of 64-bit counters too. */
export function count(value: number | string): string {
  return typeof value === 'number' ? WHOLE.format(value) : WHOLE.format(BigInt(value));
}

/** Three digits and a prefix: 12.3 M, 999, 1.00 G. */
function scaled(value: number, step: number): readonly [string, string] {
  let unit = 0;
  let rest = value;
  // 999.6 would be rounded to a fourth digit.
  while (rest >= 999.5 && unit < UNITS.length - 1) {
    rest /= step;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return [rest.toFixed(digits), UNITS[unit] ?? ''];
}

export function bitRate(bitsPerSecond: number | null): string {
  if (bitsPerSecond === null) return NOTHING;
  const [number, prefix] = scaled(bitsPerSecond, 1000);
  return `${number} ${prefix}bit/s`;
}

/** What a profile allows: 0 is no limit. */
export function limit(bitsPerSecond: number | null): string {
  return bitsPerSecond === 0 ? 'unlimited' : bitRate(bitsPerSecond);
}

export function bytes(value: string): string {
  const [number, prefix] = scaled(Number(value), 1000);
  return `${number} ${prefix}B`;
}

/** A whole number, shortened from ten thousand on: for axes. */
export function short(value: number): string {
  if (Math.abs(value) < 10_000) return count(value);
  const [number, prefix] = scaled(value, 1000);
  return `${number.replace(/\.0+$|(?<=\.[0-9])0$/, '')}${prefix}`;
}

export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.05) return '< 0.1 %';
  return `${value > 0 && value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}

/** The two largest parts: 3 d 4 h, 12 min 5 s, 0 s. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** Time of day where the reader is. */
export function timeOfDay(at: string | number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}

export function dateAndTime(at: string): string {
  const date = new Date(at);
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
  return `${day} ${timeOfDay(at)}`;
}

export function milliseconds(value: number | null): string {
  if (value === null) return NOTHING;
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} ms`;
}
