/**
 * One line followed live: each DHCP message of it with the verdict, what happens to its session, a few of its frames each
 * second with what the dataplane did with them, and what it counted. Text for people, one server-sent event a thing.
 */
import type { ServerResponse } from 'node:http';
import type { Dataplane, DataplaneInspection, FrameTracing, TracedFrame } from '../dataplane/port.js';
import type { DhcpExchange, DhcpTraceSource } from '../dhcpv4/trace.js';
import type { Attachment } from '../model/access-line.js';
import { attachmentKey } from '../model/access-line.js';
import type { TimerHandle } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4 } from '../model/ipv4.js';
import { formatMac } from '../model/mac.js';
import type { TrafficCounters } from '../model/traffic-counters.js';
import type { OperatorInlet } from '../session/inlet.js';
import type { LifecycleEvent, LifecycleSource } from '../session/lifecycle.js';
import type { SessionView } from '../session/view.js';
import type { EventClientsOptions } from './event-clients.js';
import { EventClients } from './event-clients.js';
import { eventMembers } from './event-json.js';
import { tracedFrameJson, tracedFrameText } from './frame-text.js';
import type { TracedFrameJson } from './frame-text.js';
import { findSession } from './session-finder.js';

const SAMPLE_MS = 1_000;

export interface TraceStreamOptions extends EventClientsOptions {
  readonly operator: OperatorInlet;
  readonly lifecycle: LifecycleSource;
  readonly dhcp: DhcpTraceSource;
  readonly dataplane: Pick<Dataplane, 'traffic'> & Pick<DataplaneInspection, 'drops'>;
  readonly frames: FrameTracing;
}

/** What is told of the line; `text` has no control characters that were not in the frame. */
export interface TraceEvent {
  readonly at: string;
  readonly kind: 'start' | 'dhcp' | 'session' | 'frame' | 'dataplane';
  readonly text: string;
  /** Of kind `frame`. */
  readonly frame?: TracedFrameJson;
}

interface Sample {
  readonly attachment: Attachment | null;
  readonly address: Ipv4 | null;
  readonly traffic: TrafficCounters | null;
  readonly drops: Readonly<Record<string, bigint>>;
}

export class TraceStream {
  readonly #o: TraceStreamOptions;
  readonly #clients: EventClients;

  constructor(options: TraceStreamOptions) {
    this.#o = options;
    this.#clients = new EventClients(options);
  }

  get isFull(): boolean {
    return this.#clients.isFull;
  }

  /** Takes over a response whose head is not yet written and tells it of the line `key` names until either side closes. */
  follow(response: ServerResponse, key: string): void {
    const { operator, lifecycle, dhcp, clock } = this.#o;
    const tell = (kind: TraceEvent['kind'], text: string, frame?: TracedFrameJson): void => {
      const at = new Date(clock.wallMs()).toISOString();
      const event: TraceEvent = { at, kind, text, ...(frame === undefined ? {} : { frame }) };
      this.#clients.write(response, `event: ${kind}\ndata: ${JSON.stringify(event)}\n\n`);
    };
    const aim = new FrameAim(this.#o.frames, {
      told: (frame) => tell('frame', tracedFrameText(tracedFrameJson(frame)), tracedFrameJson(frame)),
      refused: (reason) => tell('dataplane', `frames are not traced: ${reason}`),
    });
    const stops = [
      () => aim.stop(),
      dhcp.onExchange((exchange) => {
        if (!isOf(exchange, key, findSession(operator, key))) return;
        tell('dhcp', `${exchange.message} → ${exchange.verdict}`);
      }),
      // A session that begins for the line is found from its first event on.
      lifecycle.onLifecycle((event) => {
        if (findSession(operator, key)?.id === event.session.id || isNamed(event.session, key)) {
          tell('session', lifecycleText(event));
        }
      }),
    ];
    let timer: TimerHandle | null = null;
    const sampleAfter = (before: Sample): void => {
      timer = clock.after(SAMPLE_MS, () => {
        const now = this.#sample(key);
        aim.at(now.attachment);
        for (const text of differences(before, now)) tell('dataplane', text);
        sampleAfter(now);
      });
    };
    this.#clients.add(response, `following ${JSON.stringify(key)}`, () => {
      for (const stop of stops) stop();
      timer?.cancel();
    });
    const session = findSession(operator, key);
    tell(
      'start',
      session === null ? `no session of ${key} yet` : `session ${session.id} is ${session.state}`,
    );
    const first = this.#sample(key);
    aim.at(first.attachment);
    sampleAfter(first);
  }

  close(): void {
    this.#clients.close();
  }

  /** The address that is installed: after a move the one still held. */
  #sample(key: string): Sample {
    const { operator, dataplane } = this.#o;
    const session = findSession(operator, key);
    const seen = { attachment: session?.attachment ?? null, drops: dataplane.drops() };
    for (const address of [session?.address ?? null, session?.heldAddress ?? null]) {
      const traffic = address === null ? null : dataplane.traffic(address);
      if (traffic !== null) return { address, traffic, ...seen };
    }
    return { address: null, traffic: null, ...seen };
  }
}

interface FrameTells {
  readonly told: (frame: TracedFrame) => void;
  readonly refused: (reason: string) => void;
}

/** Where the line's frames are looked for: it moves, comes and goes with the session. */
class FrameAim {
  readonly #frames: FrameTracing;
  readonly #tells: FrameTells;
  #aimed: string | null = null;
  #stopTrace: (() => void) | null = null;

  constructor(frames: FrameTracing, tells: FrameTells) {
    this.#frames = frames;
    this.#tells = tells;
  }

  /** Once a second: a line that was just refused is not asked for again. */
  at(attachment: Attachment | null): void {
    const key = attachment === null ? null : attachmentKey(attachment);
    if (key === this.#aimed) return;
    this.stop();
    this.#aimed = key;
    if (attachment === null) return;
    const outcome = this.#frames.trace(attachment, this.#tells.told);
    if (outcome.ok) this.#stopTrace = outcome.stop;
    else this.#tells.refused(outcome.reason);
  }

  stop(): void {
    this.#stopTrace?.();
    this.#stopTrace = null;
    this.#aimed = null;
  }
}

/** By what the message itself says, or by the station that the session knows. */
function isOf(exchange: DhcpExchange, key: string, session: SessionView | null): boolean {
  const { attachment, remoteId, circuitId } = exchange;
  if ([remoteId, circuitId, formatMac(attachment.mac)].includes(key)) return true;
  if (session === null) return false;
  if (session.ontSerial !== null && session.ontSerial === remoteId) return true;
  return session.attachment !== null && attachmentKey(session.attachment) === attachmentKey(attachment);
}

function isNamed(session: SessionView, key: string): boolean {
  return [session.id, session.ontSerial].includes(key);
}

function lifecycleText(event: LifecycleEvent): string {
  const members = Object.entries(eventMembers(event))
    .filter(([, value]) => typeof value === 'string' || typeof value === 'number')
    .map(([name, value]) => `${name} ${typeof value === 'number' ? Math.round(value) : String(value)}`);
  return [event.type, ...members].join(', ');
}

/** Drops have no subscriber in the kernel's counters: those of all lines are said to be so. */
function differences(before: Sample, now: Sample): string[] {
  const told: string[] = [];
  const { address, traffic } = now;
  if (address !== null && traffic !== null) {
    const old = before.address === address ? before.traffic : null;
    const up = traffic.upstreamPackets - (old?.upstreamPackets ?? 0n);
    const down = traffic.downstreamPackets - (old?.downstreamPackets ?? 0n);
    const upBytes = traffic.upstreamBytes - (old?.upstreamBytes ?? 0n);
    const downBytes = traffic.downstreamBytes - (old?.downstreamBytes ?? 0n);
    if (up > 0n || down > 0n) {
      told.push(
        `${formatIpv4(address)} forwarded upstream ${up} packets ${upBytes} bytes, downstream ${down} packets ${downBytes} bytes`,
      );
    }
  }
  const drops = Object.entries(now.drops)
    .map(([reason, count]) => [reason, count - (before.drops[reason] ?? 0n)] as const)
    .filter(([, count]) => count > 0n);
  if (drops.length > 0) {
    told.push(`dropped, all lines: ${drops.map(([reason, count]) => `${reason} ${count}`).join(', ')}`);
  }
  return told;
}
