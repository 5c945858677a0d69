/** What the configuration says of lines, for sessions: at a start and at a reload. No rule of either. */
import type { Config } from './config/config.js';
import type { LineOptions, LineSettings } from './session/line-options.js';

export function lineOptions({ lines }: Pick<Config, 'lines'>): LineOptions {
  const { sessions, macs, movedMac } = lines;
  return { sessionLimit: sessions, macLimit: macs, movedMac, settings: lineSettings({ lines }) };
}

/** The part of it that may change while the BNG runs. */
export function lineSettings({ lines }: Pick<Config, 'lines'>): LineSettings {
  const { newMac, tries, waitMs, liveness } = lines;
  const { action, intervalSeconds, perSecond } = liveness;
  const effort = { tries, waitMs };
  return {
    newMac,
    effort,
    liveness: { ...effort, action, intervalMs: 1000 * intervalSeconds, perSecond },
  };
}
