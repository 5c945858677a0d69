/** What came of the rules for lines, as metrics. */
import type { LineFigures } from '../session/view.js';
import type { MetricFamilies } from './metric-families.js';
import { mirrorEach } from './mirror.js';

/** Sets the families of lines to totals that are kept elsewhere. */
export function readLines(
  { lineRefusals, lineTakeovers, livenessChecks }: MetricFamilies,
  { refused, takeovers, liveness }: LineFigures,
): void {
  mirrorEach(lineRefusals, 'reason', refused);
  mirrorEach(lineTakeovers, 'why', takeovers);
  mirrorEach(livenessChecks, 'result', liveness);
}
