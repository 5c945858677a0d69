/** `sessions`, `leases` and `session`: who is there, page by page, and everything about one. */
import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import type { SessionAnswer, SessionDetailAnswer, SessionsAnswer } from './api-answers.js';
import type { Answer, ApiClient } from './api-client.js';
import type { WatchOption } from './arguments.js';
import { stateOption, watchSeconds, withWatch } from './arguments.js';
import type { ExitCode, Perform, Run } from './run.js';
import { EXIT } from './run.js';
import type { SessionColumn, SessionColumnName } from './session-columns.js';
import { DEFAULT_COLUMNS, isColumnName, LEASE_COLUMNS, SESSION_COLUMNS } from './session-columns.js';
import { sessionView } from './session-view.js';
import type { Layout } from './table.js';
import { layOut, rowsOf, titles } from './table.js';
import type { Terminal } from './terminal.js';

const PAGE = '1000';

interface ListFlags extends WatchOption {
  readonly state?: string;
  readonly pool?: string;
  readonly match?: string;
  readonly sort?: Sorting;
  readonly columns?: readonly SessionColumnName[];
}

interface Sorting {
  readonly column: SessionColumn;
  readonly isDescending: boolean;
}

/** What one listing is about. */
interface Listing {
  readonly query: URLSearchParams;
  readonly columns: readonly SessionColumn[];
  readonly sort: Sorting | null;
  readonly keeps: (session: SessionAnswer) => boolean;
  readonly noun: string;
}

function columnNames(list: string): readonly SessionColumnName[] {
  return list.split(',').map((name) => {
    const trimmed = name.trim();
    if (isColumnName(trimmed)) return trimmed;
    throw new InvalidArgumentError(`Expected columns of ${Object.keys(SESSION_COLUMNS).join(', ')}.`);
  });
}

function sorting(text: string): Sorting {
  const isDescending = text.startsWith('-');
  const [name] = columnNames(isDescending ? text.slice(1) : text);
  if (name === undefined || text.includes(',')) throw new InvalidArgumentError('Expected one column.');
  return { column: SESSION_COLUMNS[name], isDescending };
}

/** Pages as they come; the last thing it gives is what went wrong, if anything. */
async function* pages(
  client: ApiClient,
  query: URLSearchParams,
): AsyncGenerator<readonly SessionAnswer[], Exclude<Answer<never>, { kind: 'ok' }> | null> {
  const next = new URLSearchParams(query);
  for (;;) {
    const answer = await client.get<SessionsAnswer>(`/api/v1/sessions?${next.toString()}`);
    if (answer.kind !== 'ok') return answer;
    yield answer.body.sessions;
    if (answer.body.next_cursor === null) return null;
    next.set('cursor', answer.body.next_cursor);
  }
}

async function collect(
  client: ApiClient,
  listing: Listing,
): Promise<Answer<{ readonly sessions: readonly SessionAnswer[] }>> {
  const sessions: SessionAnswer[] = [];
  const walk = pages(client, listing.query);
  for (;;) {
    const step = await walk.next();
    if (step.done === true) {
      return step.value ?? { kind: 'ok', body: { sessions: sorted(sessions, listing.sort) } };
    }
    for (const session of step.value) if (listing.keeps(session)) sessions.push(session);
  }
}

function sorted(sessions: SessionAnswer[], sort: Sorting | null): SessionAnswer[] {
  if (sort === null) return sessions;
  const direction = sort.isDescending ? -1 : 1;
  const keyed = sessions.map((session) => ({ session, key: sort.column.key(session) }));
  keyed.sort((a, b) => (a.key < b.key ? -direction : a.key > b.key ? direction : 0));
  return keyed.map(({ session }) => session);
}

function summary(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function hint(terminal: Terminal, layout: Layout<SessionAnswer>): void {
  if (layout.leftOut > 0) {
    terminal.err(
      `bngctl: no room for ${layout.leftOut} more columns: widen the terminal, or choose with --columns`,
    );
  }
}

function picture(
  terminal: Terminal,
  { columns, noun }: Listing,
  sessions: readonly SessionAnswer[],
): string[] {
  if (sessions.length === 0) return [`no ${noun}s`];
  const layout = layOut(terminal, columns, sessions);
  return [titles(terminal, layout), ...rowsOf(terminal, layout, sessions), summary(sessions.length, noun)];
}

/** Prints each page when it comes: the first settles the widths. */
async function stream(run: Run, listing: Listing): Promise<ExitCode> {
  const { terminal } = run;
  let layout: Layout<SessionAnswer> | null = null;
  let count = 0;
  const walk = pages(run.client, listing.query);
  for (;;) {
    const step = await walk.next();
    if (step.done === true) {
      if (step.value !== null) return run.fail(step.value);
      break;
    }
    const sessions = step.value.filter(listing.keeps);
    if (sessions.length === 0) continue;
    if (run.isJson) {
      const items = sessions.map((session) => JSON.stringify(session)).join(',');
      terminal.out(count === 0 ? `{"sessions":[${items}` : `,${items}`);
    } else {
      if (layout === null) {
        layout = layOut(terminal, listing.columns, sessions);
        hint(terminal, layout);
        terminal.out(titles(terminal, layout));
      }
      terminal.out(rowsOf(terminal, layout, sessions).join('\n'));
    }
    count += sessions.length;
  }
  if (run.isJson) terminal.out(count === 0 ? '{"sessions":[]}' : ']}');
  else terminal.out(count === 0 ? `no ${listing.noun}s` : summary(count, listing.noun));
  return EXIT.ok;
}

async function list(run: Run, listing: Listing, watch: number | null): Promise<ExitCode> {
  const view = ({ sessions }: { readonly sessions: readonly SessionAnswer[] }): string[] =>
    picture(run.terminal, listing, sessions);
  if (watch !== null) return run.watch(watch, () => collect(run.client, listing), view);
  if (listing.sort === null) return stream(run, listing);
  return run.show(await collect(run.client, listing), view);
}

function listingOf(flags: ListFlags, shown: readonly SessionColumnName[]): Omit<Listing, 'keeps' | 'noun'> {
  const query = new URLSearchParams({ limit: PAGE });
  for (const name of ['state', 'pool', 'match'] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  const columns = (flags.columns ?? shown).map((name) => SESSION_COLUMNS[name]);
  return { query, columns, sort: flags.sort ?? null };
}

function listCommand(program: Command, name: string, description: string): Command {
  const names = Object.keys(SESSION_COLUMNS).join(', ');
  return withWatch(
    program
      .command(name)
      .description(description)
      .option('--pool <name>', 'only those of this pool')
      .option('--match <text>', 'only those with this text in ONT serial, address, MAC, circuit-id or id')
      .option('--sort <column>', 'sort by a column; with - before it the greatest first', sorting)
      .option('--columns <list>', `columns to show, of ${names}`, columnNames),
  );
}

export function addSessionCommands(program: Command, perform: Perform): void {
  listCommand(program, 'sessions', 'list sessions in order of creation')
    .addOption(stateOption)
    .action((flags: ListFlags) =>
      perform((run) =>
        list(
          run,
          { ...listingOf(flags, DEFAULT_COLUMNS), keeps: () => true, noun: 'session' },
          watchSeconds(flags),
        ),
      ),
    );
  listCommand(program, 'leases', 'list the leases that clients hold').action((flags: ListFlags) =>
    perform((run) =>
      list(
        run,
        {
          ...listingOf(flags, LEASE_COLUMNS),
          keeps: (session) => session.lease_phase === 'bound' || session.held_address !== null,
          noun: 'lease',
        },
        watchSeconds(flags),
      ),
    ),
  );
  withWatch(
    program
      .command('session')
      .description('one session with everything that is known of it')
      .argument('<key>', 'ONT serial, address, MAC, circuit-id or session id'),
  ).action((key: string, flags: WatchOption) =>
    perform(async (run) => {
      const ask = (): Promise<Answer<SessionDetailAnswer>> =>
        run.client.get<SessionDetailAnswer>(`/api/v1/sessions/${encodeURIComponent(key)}`);
      const view = (session: SessionDetailAnswer): string[] => sessionView(run.terminal, session);
      const seconds = watchSeconds(flags);
      return seconds === null ? run.show(await ask(), view) : run.watch(seconds, ask, view);
    }),
  );
}
