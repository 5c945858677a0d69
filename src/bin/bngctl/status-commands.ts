/** `pools`, `counters`, `drops`, `top`, `radius` and `health`: how the BNG is doing. */
import type { Command } from 'commander';
import type { CountersAnswer, DropsAnswer, HealthAnswer, PoolsAnswer, TopAnswer } from './api-answers.js';
import type { Answer } from './api-client.js';
import { countArgument, watchSeconds, withWatch } from './arguments.js';
import type { WatchOption } from './arguments.js';
import type { RadiusAnswer } from './radius-answers.js';
import { radiusView } from './radius-view.js';
import type { ExitCode, Perform, Run } from './run.js';
import { EXIT } from './run.js';
import type { Terminal } from './terminal.js';
import { countersView, dropsView, healthView, poolsView, topView } from './views.js';

interface Picture<Body> {
  readonly name: string;
  readonly description: string;
  readonly path: string;
  readonly view: (terminal: Terminal, body: Body) => readonly string[];
}

/** A command that shows one answer, once or again and again. */
function addPicture<Body extends object>(program: Command, perform: Perform, picture: Picture<Body>): void {
  const { name, description, path, view } = picture;
  withWatch(program.command(name).description(description)).action((flags: WatchOption) =>
    perform(async (run) => {
      const ask = (): Promise<Answer<Body>> => run.client.get<Body>(path);
      const show = (body: Body): readonly string[] => view(run.terminal, body);
      const seconds = watchSeconds(flags);
      return seconds === null ? run.show(await ask(), show) : run.watch(seconds, ask, show);
    }),
  );
}

async function health(run: Run): Promise<ExitCode> {
  const answer = await run.client.get<HealthAnswer>('/readyz');
  if (answer.kind === 'refused' && answer.problem.checks !== undefined) {
    run.print({ status: 'not-ready', checks: answer.problem.checks }, ({ checks }) =>
      healthView(run.terminal, checks),
    );
    return EXIT.refused;
  }
  return run.show(answer, ({ checks }) => healthView(run.terminal, checks));
}

/** Each measurement takes the BNG a second, so nothing is waited for in between. */
const TOP_PAUSE_SECONDS = 0.5;

function addTop(program: Command, perform: Perform): void {
  program
    .command('top')
    .description('the busiest subscribers, live; --once measures one second and ends')
    .option('--limit <n>', 'how many', countArgument(100), 20)
    .option('--once', 'show one measurement')
    .action(({ limit, once }: { limit: number; once?: boolean }) =>
      perform(async (run) => {
        const ask = (): Promise<Answer<TopAnswer>> => run.client.get<TopAnswer>(`/api/v1/top?limit=${limit}`);
        const view = (answer: TopAnswer): string[] => topView(run.terminal, answer);
        return once === true ? run.show(await ask(), view) : run.watch(TOP_PAUSE_SECONDS, ask, view);
      }),
    );
}

export function addStatusCommands(program: Command, perform: Perform): void {
  addPicture<PoolsAnswer>(program, perform, {
    name: 'pools',
    description: 'address pools and their use',
    path: '/api/v1/pools',
    view: (terminal, { pools }) => poolsView(terminal, pools),
  });
  addPicture<CountersAnswer>(program, perform, {
    name: 'counters',
    description: 'sessions by state, traffic in total, frames by verdict and drop reason',
    path: '/api/v1/counters',
    view: countersView,
  });
  addPicture<DropsAnswer>(program, perform, {
    name: 'drops',
    description: 'frames by verdict, dropped ones by reason, stations refused on their line',
    path: '/api/v1/drops',
    view: dropsView,
  });
  addTop(program, perform);
  addPicture<RadiusAnswer>(program, perform, {
    name: 'radius',
    description: 'RADIUS servers, round trips, the accounting queue and CoA',
    path: '/api/v1/radius',
    view: radiusView,
  });
  program
    .command('health')
    .description('is the BNG ready, and if not, why')
    .action(() => perform(health));
}
