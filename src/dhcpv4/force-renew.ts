/**
 * Tells clients to ask again when their service has moved to another pool (RFC 3203, RFC 6704): those that were given a nonce,
 * at the address that they still hold. May be missed: who hears nothing asks when its lease or its link says so. The timers
 * are of repetitions; whether one is still needed, the session says.
 */
import type { PuntPath } from '../dataplane/port.js';
import type { Attachment } from '../model/access-line.js';
import type { Clock, TimerHandle } from '../model/clock.js';
import type { Ipv4 } from '../model/ipv4.js';
import { IPV4_ANY } from '../model/ipv4.js';
import type { LeaseInspection, OperatorInlet } from '../session/inlet.js';
import type { LifecycleEvent, LifecycleSource } from '../session/lifecycle.js';
import type { SessionView } from '../session/view.js';
import {
  AuthenticationInformation,
  reconfigureKey,
  signReconfiguration,
} from '../wire/dhcpv4-authentication.js';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, encodeDhcpFrame } from '../wire/dhcpv4-frame.js';
import { encodeDhcpMessage } from '../wire/dhcpv4-message.js';
import { DhcpOption } from '../wire/dhcpv4-option-codes.js';
import { DhcpOptionsBuilder } from '../wire/dhcpv4-options-builder.js';
import type { LineTpids } from './line-tags.js';
import { lineTags } from './line-tags.js';
import type { Nonces } from './nonces.js';

/** The link may just be down, since the access node makes equipment ask again in its own way. */
const REPEAT_AFTER_MS: readonly number[] = [500, 2_000, 6_000];

export interface ForceRenewerOptions {
  readonly lifecycle: LifecycleSource;
  readonly sessions: Pick<OperatorInlet, 'sessionById'>;
  readonly leases: LeaseInspection;
  readonly punts: PuntPath;
  readonly nonces: Nonces;
  readonly clock: Clock;
  /** S-VLAN that the access node gives to lines of a pool; null where it leaves them as they are. */
  readonly sVlanOf: (poolName: string) => number | null;
  readonly tpids: LineTpids;
}

export class ForceRenewer {
  readonly #o: ForceRenewerOptions;
  readonly #timers = new Map<string, TimerHandle>();
  #isOn = true;
  #stop: (() => void) | null = null;

  constructor(options: ForceRenewerOptions) {
    this.#o = options;
  }

  start(): void {
    this.#stop ??= this.#o.lifecycle.onLifecycle((event) => this.#heard(event));
  }

  /** From the next move on. */
  reconfigure(isOn: boolean): void {
    this.#isOn = isOn;
  }

  close(): void {
    this.#stop?.();
    this.#stop = null;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #heard(event: LifecycleEvent): void {
    const isMove = event.type === 'state-changed' && (event.to === 'activating' || event.to === 'suspended');
    if (isMove && this.#isOn) this.#tell(event.session, REPEAT_AFTER_MS);
  }

  #tell(session: SessionView, repeats: readonly number[]): void {
    const { clock, nonces, sessions } = this.#o;
    const { id, heldAddress, attachment } = session;
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    const nonce = heldAddress === null || attachment === null ? null : nonces.of(attachment);
    if (heldAddress === null || attachment === null || nonce === null) return;
    this.#send(session, { address: heldAddress, attachment, nonce });
    const [afterMs, ...later] = repeats;
    if (afterMs === undefined) return;
    const again = (): void => {
      this.#timers.delete(id);
      const now = sessions.sessionById(id);
      if (now?.heldAddress === heldAddress) this.#tell(now, later);
    };
    this.#timers.set(id, clock.after(afterMs, again));
  }

  /** On the line's own S-VLAN, and on that of the pool it moves to: nobody tells when the access node has moved it. */
  #send(
    { profile }: SessionView,
    to: { readonly address: Ipv4; readonly attachment: Attachment; readonly nonce: Uint8Array },
  ): void {
    const { punts, sVlanOf } = this.#o;
    const { attachment } = to;
    const next = profile === null ? null : sVlanOf(profile.poolName);
    const moves = next !== null && attachment.sVlan !== 0 && next !== attachment.sVlan;
    for (const sVlan of moves ? [attachment.sVlan, next] : [attachment.sVlan]) {
      punts.transmit(attachment.ifindex, this.#frame({ ...to, attachment: { ...attachment, sVlan } }));
    }
  }

  #frame({
    address,
    attachment,
    nonce,
  }: {
    readonly address: Ipv4;
    readonly attachment: Attachment;
    readonly nonce: Uint8Array;
  }): Uint8Array {
    const { punts, nonces, leases, tpids } = this.#o;
    const serverId = leases.poolAt(address)?.gateway ?? IPV4_ANY;
    const proof = reconfigureKey(AuthenticationInformation.Digest, nonces.nextReplay());
    const options = new DhcpOptionsBuilder()
      .messageType('DHCPFORCERENEW')
      .serverIdentifier(serverId)
      .raw(DhcpOption.Authentication, proof);
    const payload = encodeDhcpMessage({
      op: 'BOOTREPLY',
      xid: 0,
      ciaddr: address,
      chaddr: attachment.mac,
      options: options.build(),
    });
    signReconfiguration(payload, nonce);
    return encodeDhcpFrame({
      destinationMac: attachment.mac,
      sourceMac: punts.accessMac(attachment.ifindex),
      tags: lineTags(attachment, tpids),
      sourceIp: serverId,
      destinationIp: address,
      sourcePort: DHCP_SERVER_PORT,
      destinationPort: DHCP_CLIENT_PORT,
      payload,
    });
  }
}
