/** Rates and amounts as people write and read them. Decimal multiples: 1k = 1000. */

const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** Parses `100M`, `1.5G`, `64000` into bits per second; null for anything else. */
export function parseRate(text: string): number | null {
  const match = /^([0-9]{1,15}(?:\.[0-9]{1,9})?)([kmgt]?)(?:bit\/s|bps)?$/i.exec(text);
  const multiple = MULTIPLES[(match?.[2] ?? '?').toLowerCase()];
  if (match === null || multiple === undefined) return null;
  const bitsPerSecond = Math.round(Number(match[1]) * multiple);
  return Number.isSafeInteger(bitsPerSecond) ? bitsPerSecond : null;
}

function shorten(value: number): string {
  const steps = ['', 'k', 'M', 'G', 'T', 'P', 'E'];
  let rest = value;
  let step = 0;
  while (rest >= 999.5 && step < steps.length - 1) {
    rest /= 1000;
    step += 1;
  }
  const digits = step === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits).replace(/\.0$/, '')}${steps[step] ?? ''}`;
}

/** 100000000 → `100M`; 0 → `unlimited`; null → `-`. */
export function formatRate(bitsPerSecond: number | null): string {
  if (bitsPerSecond === null) return '-';
  return bitsPerSecond === 0 ? 'unlimited' : shorten(bitsPerSecond);
}

/** 1234567 → `1.2M`. */
export function formatNumber(value: number): string {
  return shorten(value);
}

/** `1234567` (a decimal string, up to 64 bits) → `1.2MB`. */
export function formatBytes(decimal: string): string {
  return `${shorten(Number(decimal))}B`;
}
