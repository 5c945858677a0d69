// Which test files do not run beside others, which start first, and which an emulated CPU falsifies. A file that is not named here runs
// beside others, at any time, anywhere.

/** Files whose judgement a busy machine changes, and what it is that they measure: each runs when no other does. */
export const alone: Readonly<Record<string, string>> = {
  'test/lab/counters-rate.test.ts': 'counts what passes at full rate',
  'test/lab/lab-lifecycle.test.ts': 'asks that a lab is up within three seconds',
  'test/lab/protect-flood.test.ts': 'floods while another subscriber is served',
  'test/lab/qos-rates.test.ts': 'measures rates of streams to a few per cent',
};

/** Files that mean nothing on an emulated CPU beside those that run alone, and why. */
export const tooMuchForEmulation: Readonly<Record<string, string>> = {
  'test/lab/counters-volume.test.ts': 'sends 10 GB',
  'test/lab/portal-browser.test.ts': 'Chromium gives up before an emulated CPU has started it',
};

/** Why a file is left out where the CPU is emulated (BNG_EMULATED=1, of scripts/vm/test.sh); undefined where it runs. */
export function leftOut(file: string): string | undefined {
  if (process.env['BNG_EMULATED'] !== '1') return undefined;
  const why = alone[file] ?? tooMuchForEmulation[file];
  return why && `on an emulated CPU: it ${why}`;
}

/** Files that wait longest, the longest first: they begin at once, so that the others pass meanwhile. */
export const longest: readonly string[] = [
  'test/lab/crash-kills.test.ts',
  'test/bpf/random-model.test.ts',
  'test/aaa/accounting-crash.test.ts',
  'test/aaa/accounting-crash-outage.test.ts',
  'test/lab/radius-minute.test.ts',
  'test/lab/radius-outage.test.ts',
  'test/lab/clients-garden.test.ts',
  'test/lab/clients-move.test.ts',
  'test/lab/demo.test.ts',
  'test/lab/radius-orders.test.ts',
  'test/lab/garden-reach.test.ts',
  'test/lab/counters-volume.test.ts',
  'test/lab/documented-commands.test.ts',
];

/** What runs side by side, in order of starting, and what then runs alone. */
export interface Order {
  readonly together: readonly string[];
  readonly alone: readonly string[];
}

/** Puts `files` in order; the lists may name files that are not among them. */
export function arrange(files: readonly string[]): Order {
  const first = longest.filter((file) => files.includes(file));
  const others = files.filter((file) => !first.includes(file));
  const isAlone = (file: string): boolean => alone[file] !== undefined;
  return {
    together: [...first, ...others].filter((file) => !isAlone(file)),
    alone: files.filter(isAlone),
  };
}
