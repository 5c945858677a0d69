// How much longer than on a machine of its own one waits here for what must come: `BNG_LAB_PATIENCE`, 1 when it is unset. It
// multiplies deadlines (src/lab, test/support, scripts/test-tiers), never what is measured or must not come.

/** Factor of at least 1. Importing this throws when the variable holds anything else. */
export const patience = readPatience(process.env['BNG_LAB_PATIENCE']);

function readPatience(text: string | undefined): number {
  if (text === undefined || text === '') return 1;
  const factor = Number(text);
  if (Number.isFinite(factor) && factor >= 1) return factor;
  throw new TypeError(`expected BNG_LAB_PATIENCE to be a factor of at least 1, got ${text}`);
}
