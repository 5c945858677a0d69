/**
 * A million random frames through the three programs and through the reference model (`model/`): verdict, frame out, punt
 * records and every counter are equal, while subscribers come, change and go. BNG_TEST_SEED=N repeats a run.
 *
 * Buckets of policers and punt rates are part of it, in a world where none refills; their rates are measured in the lab
 * (`qos-rates`). A test run shows neither GSO (`gso.test.ts`) nor an egress frame's outer tag (`lab/dataplane-forwarding`).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BngDropReasonLabels, BngVerdictLabels } from '../../src/dataplane/abi.js';
import { loadNative } from '../../src/dataplane/load-native.js';
import { patience } from '../../src/lab/patience.js';
import { mac } from '../support/packet.js';
import { kernelRoutes } from './model/kernel-routes.js';
import { type Reached, runSideBySide } from './model/random-run.js';
import { ACCESS_MAC, enterNamespace, SECOND_MAC } from './namespace.js';

enterNamespace(import.meta.url);

const WORLDS = 25;
/** Where everything takes longer, as in an emulated machine, there are fewer. */
const FRAMES_A_WORLD = Math.max(4_000, Math.round(40_000 / patience ** 2));
const SEED = Number(process.env['BNG_TEST_SEED'] ?? Date.now() % 1_000_000_000);
/** Seldom met at all, or only by many frames: met often enough to mean something. */
const LEAST = 20;
/** A test run always has headroom for two tags: `headroom.test.ts`. */
const UNREACHABLE = 'headroom';

test(`of ${WORLDS * FRAMES_A_WORLD} random frames each ends as the model says (seed ${SEED})`, async () => {
  const native = loadNative();
  const place = {
    interfaces: {
      access: new Map([
        [native.interfaceIndex('access0'), mac(ACCESS_MAC)],
        [native.interfaceIndex('access2'), mac(SECOND_MAC)],
      ]),
      other: native.interfaceIndex('other0'),
    },
    core: native.interfaceIndex('core0'),
    routes: kernelRoutes(),
  };
  const reached: Reached = new Map();
  for (let world = 0; world < WORLDS; world++) {
    await runSideBySide({ seed: SEED + world, frames: FRAMES_A_WORLD }, place, reached);
  }
  const ends = [
    ...[...BngVerdictLabels.values()].filter((label) => label !== 'drop'),
    ...[...BngDropReasonLabels.values()]
      .filter((label) => label !== UNREACHABLE)
      .map((label) => `drop ${label}`),
    'own',
    'elsewhere',
  ];
  const seldom = ends.filter((end) => (reached.get(end) ?? 0) < LEAST);
  assert.deepEqual(seldom, [], JSON.stringify([...reached]));
});
