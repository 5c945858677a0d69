/** What stands in a report of AddressSanitizer, UndefinedBehaviorSanitizer or LeakSanitizer. Reads no file. */

/** Frames of our own code; what libbpf or Node-API allocate on its behalf has one of them further out. */
const OURS = /bng_native\.node/;

/** Every error that is no leak: a read out of bounds, a use after free, an overflow. */
export function sanitizerErrors(report: string): readonly string[] {
  const asan = sections(report).filter((text) => /^==\d+==ERROR: AddressSanitizer/.test(text));
  const undefinedBehaviour = report.split('\n').filter((line) => /: runtime error: /.test(line));
  return [...asan.map(trimmed), ...undefinedBehaviour];
}

/** Memory that nobody can free any more and that our code, or somebody for it, has allocated. */
export function addonLeaks(report: string): readonly string[] {
  return report
    .split(/\n\n/)
    .filter((text) => /^(Direct|Indirect) leak of /m.test(text) && OURS.test(text))
    .map(trimmed);
}

/** A report of one error ends where the next begins. */
function sections(report: string): readonly string[] {
  return report.split(/(?=^==\d+==ERROR: )/m);
}

/** Without what differs from process to process. */
function trimmed(text: string): string {
  return text
    .trim()
    .replace(/^==\d+==/gm, '')
    .replace(/0x[0-9a-f]+/g, '0x…')
    .split('\n')
    .slice(0, 24)
    .join('\n');
}
