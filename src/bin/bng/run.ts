/** `bng run`: the daemon in the foreground. */
import { logEvent, openLog } from '../../log-events.js';
import { Daemon } from '../../daemon.js';
import { loadConfig } from '../../config/load-config.js';
import type { ConfigResult } from '../../config/parse-config.js';
import { isBngError } from '../../model/bng-error.js';
import { configOrProblems } from './check.js';
import { missingRequirement, objectPath } from './requirements.js';
import { serviceManager } from './service-manager.js';
import { aborted, stopSignal } from './stop-signal.js';

/** How long a stop may take before the process gives up on it. */
const STOP_DEADLINE_MS = 15_000;

export interface RunOptions {
  /** Start, end every session in good order, leave nothing behind, and exit. */
  readonly teardown?: boolean;
}

/** Returns the exit status once the daemon has stopped: 0 in order, 1 it could not start or stop, 2 bad configuration. */
export async function run(configPath: string, { teardown = false }: RunOptions = {}): Promise<number> {
  const config = configOrProblems(configPath);
  if (config === null) return 2;
  const missing = missingRequirement();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    return 1;
  }
  const logger = openLog(config.log.level);
  const onBug = (error: unknown): void => {
    logEvent(logger, 'bug', { err: error });
    process.exit(1);
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  const service = serviceManager((reason) => logEvent(logger, 'service-manager-unreachable', { reason }));
  const stop = stopSignal(['SIGINT', 'SIGTERM']);
  // One that comes before the BNG runs is heard, and done when it does.
  let isReloadAsked = false;
  let reload = (): void => void (isReloadAsked = true);
  process.on('SIGHUP', () => reload());
  const readConfig = (): ConfigResult => loadConfig(configPath);
  let daemon: Daemon;
  try {
    daemon = await Daemon.start({ config, readConfig, objectPath: objectPath(), logger, onBug, teardown });
  } catch (error) {
    if (!isBngError(error) && !isListenError(error)) throw error;
    process.stderr.write(`bng could not start: ${error.message}\n`);
    return 1;
  }
  if (!teardown) {
    const ready = (): void => {
      const { access, core } = config;
      service.ready(`serving ${access.interfaces.join(', ')}, core ${core.interfaces.join(', ')}`);
    };
    ready();
    reload = () => {
      service.reloading(process.hrtime.bigint() / 1000n);
      void daemon.reload().then(ready);
    };
    if (isReloadAsked) reload();
    await aborted(stop);
    service.stopping();
  }
  logEvent(logger, 'stopping');
  const deadline = setTimeout(() => {
    process.stderr.write(`bng did not stop within ${STOP_DEADLINE_MS} ms\n`);
    process.exit(1);
  }, STOP_DEADLINE_MS);
  await daemon.close();
  clearTimeout(deadline);
  logEvent(logger, 'stopped');
  return 0;
}

/** A port that is taken or an address that is not ours is the world's fault, not a bug. */
function isListenError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
