/** How texts of the command line become values, and the options that several commands share. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { SESSION_STATES } from '../../session/view.js';
import { parseRate } from './rate.js';

export function rateArgument(text: string): number {
  const rate = parseRate(text);
  if (rate === null) throw new InvalidArgumentError('Expected a rate such as 100M, 1.5G or 64000 (bit/s).');
  return rate;
}

export const stateOption = new Option('--state <state>', 'only those in this state').choices(SESSION_STATES);

/** A whole number from 1 on. */
export function countArgument(most: number): (text: string) => number {
  return (text) => {
    const count = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= most) return count;
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${most}.`);
  };
}

function secondsArgument(text: string): number {
  const seconds = /^[0-9]{1,4}(\.[0-9]{1,3})?$/.test(text) ? Number(text) : 0;
  if (seconds >= 0.1) return seconds;
  throw new InvalidArgumentError('Expected seconds from 0.1 on.');
}

/** What `--watch` gives: seconds, or true for the default. */
export interface WatchOption {
  readonly watch?: number | true;
}

const WATCH_SECONDS = 2;

export function withWatch(command: Command): Command {
  return command.addOption(
    new Option('--watch [seconds]', `show it again every so often (default ${WATCH_SECONDS})`).argParser(
      secondsArgument,
    ),
  );
}

/** Null without `--watch`. */
export function watchSeconds({ watch }: WatchOption): number | null {
  if (watch === undefined) return null;
  return watch === true ? WATCH_SECONDS : watch;
}
