/**
 * The dynamic authorization server (RFC 5176): from a datagram of a known client to an order for the sessions, and from its
 * outcome to ACK or NAK. What it does not believe gets no answer. Decides nothing about sessions.
 *
 * In this order: known address → packet → code → authenticators → Event-Timestamp is current → not seen before → permitted →
 * attributes → order → answer.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { BngError } from '../model/bng-error.js';
import type { Clock } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { formatIpv4 } from '../model/ipv4.js';
import { RadiusAttributesBuilder } from '../wire/radius-attributes-builder.js';
import { Attribute } from '../wire/radius-dictionary.js';
import { encodeRadiusResponse } from '../wire/radius-encode.js';
import type { RadiusPacket } from '../wire/radius-packet.js';
import { decodeRadiusPacket, RadiusCode } from '../wire/radius-packet.js';
import type { RadiusSecret } from '../wire/radius-secret.js';
import { ErrorCause } from '../wire/radius-values.js';
import type { AdmissionRules, AdmittedRequest } from './coa-admission.js';
import { admit, repeatableMs } from './coa-admission.js';
import { CoaAnswers } from './coa-answers.js';
import type { RememberedRequest } from './coa-answers.js';
import type { CoaKind, CoaOrder, CoaRefusal, CoaRules, ErrorCauseName } from './coa-request.js';
import { ECHOED, isRefusal, readCoaRequest } from './coa-request.js';
import type { CoaStatistics } from './coa-statistics.js';
import { CoaClientCounters } from './coa-statistics.js';
import type { RadiusJournal } from './radius-journal.js';
import type { AuthorizationInlet, AuthorizationOutcome, AuthorizationSubject } from './port.js';

export interface CoaClient {
  readonly address: Ipv4;
  readonly secret: RadiusSecret;
  /** What else it asks for is administratively prohibited. */
  readonly allow: readonly CoaKind[];
}

/** One request and how it ended; for the log. */
export interface CoaReport {
  readonly client: Ipv4;
  readonly request: CoaKind;
  /** Null for an ACK. */
  readonly errorCause: ErrorCauseName | null;
  readonly reason: string | null;
  /** What was ordered, and of which session; null where it did not get that far. */
  readonly order: CoaOrder | null;
  readonly subject: AuthorizationSubject | null;
}

export interface CoaServerOptions extends CoaRules, AdmissionRules {
  readonly inlet: AuthorizationInlet;
  /** Port 0 lets the kernel choose. */
  readonly listen: { readonly address: Ipv4; readonly port: number };
  readonly clients: readonly CoaClient[];
  readonly clock: Clock;
  /** Answers requests without an Event-Timestamp with a NAK, as their replay could not be told from a new order. */
  readonly requireEventTimestamp: boolean;
  /** Orders that may be with the sessions at once; what is beyond is told that resources are unavailable. */
  readonly maxUnderWay?: number;
  /** Answers kept for retransmissions, of all clients together. */
  readonly maxRemembered?: number;
  /** How long close() waits for what is under way. */
  readonly closeDeadlineMs?: number;
  readonly onAnswered?: (report: CoaReport) => void;
  /** Told what was ordered of each session. */
  readonly journal?: RadiusJournal;
  readonly onBug: (error: unknown) => void;
}

interface KnownClient extends CoaClient {
  readonly counters: CoaClientCounters;
}

interface Request extends AdmittedRequest {
  readonly beganMs: number;
  readonly client: KnownClient;
  readonly port: number;
}

const DEFAULT_MAX_UNDER_WAY = 1_000;
const DEFAULT_MAX_REMEMBERED = 65_536;
const DEFAULT_CLOSE_DEADLINE_MS = 5_000;
/** How a request ended: without a refusal the dataplane has what was ordered. */
interface Ending {
  readonly refusal: CoaRefusal | null;
  readonly order: CoaOrder | null;
  readonly subject: AuthorizationSubject | null;
}

const refused = (refusal: CoaRefusal): Ending => ({ refusal, order: null, subject: null });
const TOO_MANY: CoaRefusal = { cause: 'ResourcesUnavailable', reason: 'too many orders at once' };

export class CoaServer {
  #o: CoaServerOptions;
  #clients: ReadonlyMap<string, KnownClient>;
  readonly #answers: CoaAnswers;
  readonly #socket: Socket;
  readonly #idle = new Set<() => void>();
  #unknownClients = 0;
  #socketErrors = 0;
  #underWay = 0;
  #closed = false;
  #closing: Promise<void> | null = null;

  private constructor(options: CoaServerOptions, socket: Socket) {
    this.#o = options;
    this.#socket = socket;
    this.#answers = new CoaAnswers(options.maxRemembered ?? DEFAULT_MAX_REMEMBERED);
    this.#clients = knownClients(options.clients, new Map());
    socket.on('message', (datagram, from) => this.#receive(datagram, from));
    // What could not be received is asked again; UDP has no other state that an error could end.
    socket.on('error', () => (this.#socketErrors += 1));
  }

  /** Opens the socket. An address that cannot be listened on is `BNG_ERR_CONFIG`. */
  static async listen(options: CoaServerOptions): Promise<CoaServer> {
    const socket = createSocket('udp4');
    const { address, port } = options.listen;
    await new Promise<void>((resolve, reject) => {
      const place = { address: formatIpv4(address), port };
      socket.once('error', (error) => {
        socket.close();
        reject(new BngError('BNG_ERR_CONFIG', 'expected an address to listen on for CoA', place, error));
      });
      socket.bind(place, resolve);
    });
    socket.removeAllListeners('error');
    return new CoaServer(options, socket);
  }

  /** From the return on these may order, by these filters; counters of who stays go on, and what is under way is answered. */
  reconfigure({ clients, filters }: Pick<CoaServerOptions, 'clients' | 'filters'>): void {
    this.#o = { ...this.#o, clients, filters };
    this.#clients = knownClients(clients, this.#clients);
  }

  /** The port that requests come to. */
  get port(): number {
    return this.#socket.address().port;
  }

  statistics(): CoaStatistics {
    return {
      unknownClients: this.#unknownClients,
      socketErrors: this.#socketErrors,
      remembered: this.#answers.size,
      clients: [...this.#clients.values()].map(({ address, counters }) => counters.values(address)),
    };
  }

  /** Takes no more requests, answers those under way, and closes the socket. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        const deadline = this.#o.clock.after(this.#o.closeDeadlineMs ?? DEFAULT_CLOSE_DEADLINE_MS, resolve);
        this.#idle.add(() => {
          deadline.cancel();
          resolve();
        });
      });
    }
    this.#closed = true;
    await new Promise<void>((closed) => this.#socket.close(() => closed()));
  }

  #receive(datagram: Buffer, from: RemoteInfo): void {
    const client = this.#clients.get(from.address);
    if (client === undefined) {
      this.#unknownClients += 1;
      return;
    }
    if (this.#closing !== null) {
      client.counters.dropped('closing');
      return;
    }
    const admitted = admit(datagram, client.secret, { ...this.#o, wallMs: this.#o.clock.wallMs() });
    if (typeof admitted === 'string') client.counters.dropped(admitted);
    else this.#take({ ...admitted, client, port: from.port, beganMs: this.#o.journal?.nowMs() ?? 0 });
  }

  #take(request: Request): void {
    const { client, port, kind } = request;
    const nowMs = this.#o.clock.monotonicMs();
    const key = keyOf(request);
    const known = this.#answers.find(key, nowMs);
    if (known !== null && known.port !== port) {
      // The same dated bytes from elsewhere: somebody repeats what was overheard.
      client.counters.dropped('replayed');
      return;
    }
    if (known !== null) {
      client.counters.duplicate();
      if (known.answer !== null) void this.#send(known.answer, client, port);
      return;
    }
    client.counters.began(kind);
    const untilMs = nowMs + repeatableMs(request, { ...this.#o, wallMs: this.#o.clock.wallMs() });
    const remembered = this.#answers.open(key, { port, untilMs }, nowMs);
    const busy = remembered === null || this.#underWay >= (this.#o.maxUnderWay ?? DEFAULT_MAX_UNDER_WAY);
    this.#underWay += 1;
    const outcome = busy ? Promise.resolve(refused(TOO_MANY)) : this.#execute(request);
    outcome
      .catch((error: unknown): Ending => {
        this.#o.onBug(error);
        return refused({ cause: 'ResourcesUnavailable', reason: 'a defect of the BNG' });
      })
      .then((ending) => this.#answer(request, remembered, ending))
      .catch(this.#o.onBug)
      .finally(() => {
        this.#underWay -= 1;
        if (this.#underWay === 0) for (const tell of this.#idle) tell();
      });
  }

  async #execute({ client, kind, packet, timestamp }: Request): Promise<Ending> {
    if (!client.allow.includes(kind)) {
      const reason = `the client may not send a ${kind}-Request`;
      return refused({ cause: 'AdministrativelyProhibited', reason });
    }
    if (this.#o.requireEventTimestamp && timestamp === null) {
      const reason = 'Event-Timestamp is required (requireEventTimestamp)';
      return refused({ cause: 'MissingAttribute', reason });
    }
    const order = readCoaRequest(kind, packet.attributes, this.#o);
    if (isRefusal(order)) return refused(order);
    const { inlet } = this.#o;
    const outcome =
      order.kind === 'CoA'
        ? await inlet.changeAuthorization(order.selector, order.change)
        : await inlet.disconnect(order.selector);
    return { refusal: refusalOf(kind, outcome), order, subject: outcome.subject ?? null };
  }

  /** Resolves when the system has the answer. */
  #answer(request: Request, remembered: RememberedRequest | null, ending: Ending): Promise<void> {
    const { refusal, order, subject } = ending;
    const { client, kind, packet, port } = request;
    const errorCause = refusal?.cause ?? null;
    const attributes = new RadiusAttributesBuilder();
    if (errorCause !== null) attributes.add(Attribute.ErrorCause, ErrorCause[errorCause]);
    for (const echoed of ECHOED) attributes.addEach(echoed, packet.attributes.all(echoed));
    const answer = encodeRadiusResponse({
      code: RadiusCode[`${kind}-${errorCause === null ? 'ACK' : 'NAK'}`],
      request: packet,
      attributes: attributes.build(),
      secret: client.secret,
      messageAuthenticator:
        this.#o.requireMessageAuthenticator || packet.attributes.has(Attribute.MessageAuthenticator),
    });
    if (remembered !== null) remembered.answer = answer;
    if (subject !== null) this.#note(request, subject.before.session, decodeRadiusPacket(answer));
    client.counters.answered(kind, errorCause);
    this.#o.onAnswered?.({
      client: client.address,
      request: kind,
      errorCause,
      reason: refusal?.reason ?? null,
      order,
      subject,
    });
    return this.#send(answer, client, port);
  }

  #note({ client, packet, beganMs }: Request, session: string, response: RadiusPacket): void {
    this.#o.journal?.note('order', session, {
      beganMs,
      peer: formatIpv4(client.address),
      request: packet,
      response,
    });
  }

  #send(answer: Uint8Array, client: KnownClient, port: number): Promise<void> {
    return new Promise((sent) => {
      const done = (error: Error | null): void => {
        if (error !== null) client.counters.sendFailed();
        sent();
      };
      if (this.#closed) done(new BngError('BNG_ERR_CLOSED', 'expected an open CoA socket'));
      else this.#socket.send(answer, port, formatIpv4(client.address), done);
    });
  }
}

/** The authenticator is a digest of the whole request. Undated bytes from another port may well be a new order. */
function keyOf({ client, packet, port, timestamp }: Request): string {
  const digest = Buffer.from(packet.authenticator).toString('base64');
  return `${client.address}/${timestamp === null ? port : 'dated'}/${digest}`;
}

function refusalOf(kind: CoaKind, outcome: AuthorizationOutcome): CoaRefusal | null {
  if (outcome.ok) return null;
  const { reason } = outcome;
  switch (outcome.kind) {
    case 'no-session':
      return { cause: 'SessionContextNotFound', reason };
    case 'ambiguous':
      return { cause: 'MultipleSessionSelectionUnsupported', reason };
    case 'invalid':
      return { cause: 'InvalidAttributeValue', reason };
    case 'failed':
      return { cause: kind === 'CoA' ? 'ResourcesUnavailable' : 'SessionContextNotRemovable', reason };
  }
}

function knownClients(
  clients: readonly CoaClient[],
  before: ReadonlyMap<string, KnownClient>,
): ReadonlyMap<string, KnownClient> {
  return new Map(
    clients.map((client) => {
      const key = formatIpv4(client.address);
      return [key, { ...client, counters: before.get(key)?.counters ?? new CoaClientCounters() }];
    }),
  );
}
