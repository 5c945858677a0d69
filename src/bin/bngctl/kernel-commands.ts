/** `maps`, `map`, `subscribers` and `nft`: what the kernel holds, also while no BNG runs. */
import type { Command } from 'commander';
import type { Answer } from './api-client.js';
import { mapsView, mapView } from './map-view.js';
import type { MapAnswer, MapsAnswer } from './map-view.js';
import type { SubscribersAnswer } from './subscriber-view.js';
import { subscribersOf, subscribersView } from './subscriber-view.js';
import { DEFAULT_PINS, listNft, openPinnedMaps } from './offline.js';
import type { MapReader } from '../../dataplane/map-reader.js';
import type { ExitCode, Perform, Run } from './run.js';

interface PinFlags {
  readonly pins?: string;
}

/** What the BNG says; when it cannot be reached what the pinned maps say, and a word about that. */
async function ask<Body extends object>(
  run: Run,
  path: string,
  offline: { readonly flags: PinFlags; readonly read: (maps: MapReader) => Answer<Body> },
): Promise<Answer<Body>> {
  // Whoever names the pins wants these and no other BNG's answer.
  const answer: Answer<Body> =
    offline.flags.pins === undefined
      ? await run.client.get<Body>(path)
      : { kind: 'unreachable', reason: 'not asked, as --pins was given' };
  if (answer.kind !== 'unreachable') return answer;
  const opened = openPinnedMaps(offline.flags.pins ?? DEFAULT_PINS);
  if (!opened.ok) return { kind: 'unreachable', reason: `${answer.reason}; ${opened.reason}` };
  if (offline.flags.pins === undefined) run.terminal.err('bngctl: no BNG answers; read from its pinned maps');
  return offline.read(opened.maps);
}

function offlineMap(maps: MapReader, name: string): Answer<MapAnswer> {
  const entries = maps.mapEntries(name);
  if (entries !== null) return { kind: 'ok', body: { name, entries: [...entries] } };
  const known = maps.mapSummaries().map((map) => map.name);
  const detail = `No map is ${name}; there are ${known.join(', ')}.`;
  return { kind: 'refused', problem: { status: 404, title: 'No map has this name', detail } };
}

async function nft(run: Run, members: boolean): Promise<ExitCode> {
  const view = ({ text }: { readonly text: string }): string[] => text.split('\n');
  const answer = await run.client.get<{ text: string }>(`/api/v1/nft?members=${members}`);
  if (answer.kind !== 'unreachable') return run.show(answer, view);
  const listing = await listNft(members);
  if (!listing.ok) return run.fail({ kind: 'unreachable', reason: `${answer.reason}; ${listing.reason}` });
  run.terminal.err('bngctl: no BNG answers; read with nft');
  return run.show({ kind: 'ok', body: { text: listing.text } }, view);
}

export function addKernelCommands(program: Command, perform: Perform): void {
  const pinned = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--pins <folder>', 'read the maps pinned there; when no BNG answers, those of this version');
  pinned('subscribers', 'subscribers as they stand in the kernel').action((flags: PinFlags) =>
    perform(async (run) =>
      run.show(
        await ask<SubscribersAnswer>(run, '/api/v1/subscribers', {
          flags,
          read: (maps) => ({ kind: 'ok', body: { subscribers: subscribersOf(maps) } }),
        }),
        (answer) => subscribersView(run.terminal, answer),
      ),
    ),
  );
  pinned('maps', 'the maps of the dataplane').action((flags: PinFlags) =>
    perform(async (run) =>
      run.show(
        await ask<MapsAnswer>(run, '/api/v1/maps', {
          flags,
          read: (maps) => ({
            kind: 'ok',
            body: {
              maps: maps
                .mapSummaries()
                .map(({ maxEntries, ...summary }) => ({ ...summary, max_entries: maxEntries })),
            },
          }),
        }),
        (answer) => mapsView(run.terminal, answer),
      ),
    ),
  );
  pinned('map', 'what a map holds, decoded')
    .argument('<name>', 'the name of a map, such as bng_subscribers')
    .action((name: string, flags: PinFlags) =>
      perform(async (run) =>
        run.show(
          await ask<MapAnswer>(run, `/api/v1/maps/${encodeURIComponent(name)}`, {
            flags,
            read: (maps) => offlineMap(maps, name),
          }),
          (answer) => mapView(run.terminal, answer),
        ),
      ),
    );
  program
    .command('nft')
    .description('the table of nftables as the kernel holds it')
    .option('--members', 'with the elements of the sets: one for each walled subscriber')
    .action(({ members }: { members?: boolean }) => perform((run) => nft(run, members === true)));
}
