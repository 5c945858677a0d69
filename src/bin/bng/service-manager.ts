/**
 * What the service manager is told: ready, reloading, stopping, and that the event loop still turns (sd_notify(3)). Without one,
 * nothing is sent. Starts and stops nothing.
 */
import { loadNative } from '../../dataplane/load-native.js';
import { errorText } from '../../model/bng-error.js';

/** Sends one datagram; throws when the kernel refuses. */
export type SendDatagram = (path: string, bytes: Uint8Array) => void;

export interface ServiceManagerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly processId: number;
  readonly send: SendDatagram;
  /** Told why a message did not arrive. The BNG goes on: a service manager that is gone is no reason to stop forwarding. */
  readonly onFailure: (reason: string) => void;
}

/** The watchdog wants two signs of life in each of its intervals. */
const SIGNS_AN_INTERVAL = 2;
const MICROSECONDS_PER_MILLISECOND = 1000;

export class ServiceManager {
  readonly #o: ServiceManagerOptions;
  #watchdog: NodeJS.Timeout | null = null;

  constructor(options: ServiceManagerOptions) {
    this.#o = options;
  }

  /** `monotonicMicroseconds` is CLOCK_MONOTONIC, as RELOADING=1 wants it. */
  reloading(monotonicMicroseconds: bigint): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${monotonicMicroseconds}`);
  }

  /** The service is up (again, after a reload); from now on the watchdog is fed. `status` is one line for people. */
  ready(status: string): void {
    this.#tell(`READY=1\nSTATUS=${status}`);
    this.#feedWatchdog();
  }

  stopping(): void {
    this.#tell('STOPPING=1');
    if (this.#watchdog !== null) clearInterval(this.#watchdog);
    this.#watchdog = null;
  }

  /** The interval of the watchdog in milliseconds; null when there is none, or it watches another process. */
  get watchdogMs(): number | null {
    const { WATCHDOG_USEC: interval, WATCHDOG_PID: watched } = this.#o.environment;
    if (interval === undefined || !/^[1-9][0-9]*$/.test(interval)) return null;
    if (watched !== undefined && watched !== String(this.#o.processId)) return null;
    return Number(interval) / MICROSECONDS_PER_MILLISECOND;
  }

  #feedWatchdog(): void {
    const intervalMs = this.watchdogMs;
    if (intervalMs === null || this.#watchdog !== null) return;
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), intervalMs / SIGNS_AN_INTERVAL);
    this.#watchdog.unref();
  }

  #tell(message: string): void {
    const path = this.#o.environment['NOTIFY_SOCKET'];
    if (path === undefined || path === '') return;
    try {
      this.#o.send(path, new TextEncoder().encode(message));
    } catch (error) {
      this.#o.onFailure(errorText(error));
    }
  }
}

/** The service manager of this process, as its environment names it. */
export function serviceManager(onFailure: (reason: string) => void): ServiceManager {
  return new ServiceManager({
    environment: process.env,
    processId: process.pid,
    send: (path, bytes) => loadNative().sendDatagram(path, bytes),
    onFailure,
  });
}
