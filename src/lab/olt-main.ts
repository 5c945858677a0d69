/**
 * The simulated access node as a process: runs in the namespace whose trunk and ONT ports it serves, takes its settings
 * as one JSON argument, prints `ready`, ends on SIGTERM. Composition only.
 */
import { loadNative } from '../dataplane/load-native.js';
import { BngError } from '../model/bng-error.js';
import { systemClock } from '../model/system-clock.js';
import { FrameMover } from '../olt/frame-mover.js';
import { OltServer } from '../olt/olt-server.js';
import { OltSimulator } from '../olt/olt-simulator.js';
import { exec } from './exec.js';
import { oltSettingsSchema } from './olt-settings.js';

async function setLink(interfaceName: string, state: 'up' | 'down'): Promise<void> {
  const result = await exec(['ip', 'link', 'set', interfaceName, state]);
  if (result.exitCode !== 0) {
    throw new BngError('BNG_ERR_OLT', `expected a link that can be set ${state}`, {
      interfaceName,
      stderr: result.stderr,
    });
  }
}

const settings = oltSettingsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const mover = new FrameMover({ ...settings, native: loadNative(), clock: systemClock, setLink });
const simulator = new OltSimulator({
  aggregatorId: settings.aggregatorId,
  gardenSVlan: settings.gardenSVlan,
  plant: mover,
  onEvent: (event) => server.publish(event),
});
const server = new OltServer({ path: settings.socketPath, simulator, counts: () => mover.counts() });
await server.listen();
process.once('SIGTERM', () => {
  void server.close().then(() => {
    mover.close();
    process.exit(0);
  });
});
console.log('ready');
