/** `events` and `trace`: what happens, as it happens. */
import type { Command } from 'commander';
import type { EventAnswer, HistoryAnswer, TraceAnswer } from './api-answers.js';
import { countArgument } from './arguments.js';
import { eventView } from './event-view.js';
import type { ExitCode, Perform, Run } from './run.js';
import { EXIT } from './run.js';
import type { Style, Terminal } from './terminal.js';
import { harmless, paint } from './terminal.js';
import { timeOfDay } from './time.js';

interface EventFlags {
  readonly follow?: boolean;
  readonly limit: number;
}

async function events(run: Run, { follow, limit }: EventFlags): Promise<ExitCode> {
  const past = await run.client.get<HistoryAnswer>(`/api/v1/events/history?limit=${limit}`);
  if (past.kind !== 'ok') return run.fail(past);
  const show = (event: EventAnswer): void => run.print(event, () => [eventView(run.terminal, event)]);
  for (const event of past.body.events) show(event);
  if (follow !== true) return EXIT.ok;
  const end = await run.client.events('/api/v1/events', (json) => show(JSON.parse(json) as EventAnswer));
  return end.kind === 'ok' ? EXIT.ok : run.fail(end);
}

const KIND_STYLES: Readonly<Record<string, Style | null>> = {
  start: 'dim',
  dhcp: 'cyan',
  session: 'green',
  frame: null,
  dataplane: 'dim',
};

function traceView(terminal: Terminal, { at, kind, text }: TraceAnswer): string {
  const shown = `${kind.padEnd(9)} ${harmless(text)}`;
  return `${timeOfDay(at)} ${paint(terminal, KIND_STYLES[kind] ?? null, shown)}`;
}

async function trace(run: Run, line: string): Promise<ExitCode> {
  const path = `/api/v1/trace/${encodeURIComponent(line)}`;
  const end = await run.client.events(path, (json) => {
    const told = JSON.parse(json) as TraceAnswer;
    run.print(told, () => [traceView(run.terminal, told)]);
  });
  return end.kind === 'ok' ? EXIT.ok : run.fail(end);
}

export function addLiveCommands(program: Command, perform: Perform): void {
  program
    .command('events')
    .description('what happened to sessions; with --json one object a line')
    .option('--follow', 'go on with what happens from now on')
    .option('--limit <n>', 'how many of the last ones first', countArgument(1000), 100)
    .action((flags: EventFlags) => perform((run) => events(run, flags)));
  program
    .command('trace')
    .description(
      'follow one line: its DHCP messages with their verdicts, its session, a sample of its frames with what the dataplane decided, and each second what it counted',
    )
    .argument('<line>', 'ONT serial, address, MAC, circuit-id or session id; it need not have a session yet')
    .action((line: string) => perform((run) => trace(run, line)));
}
