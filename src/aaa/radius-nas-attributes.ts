/** The attributes by which every request names this NAS and the subscriber's line. Decides nothing. */
import type { AccessLine, AnnouncedLine, VlanTags } from '../model/access-line.js';
import type { Ipv4 } from '../model/ipv4.js';
import type { RadiusAttributesBuilder } from '../wire/radius-attributes-builder.js';
import { MAX_VENDOR_VALUE } from '../wire/radius-attributes-builder.js';
import { Attribute } from '../wire/radius-dictionary.js';
import { NasPortType } from '../wire/radius-values.js';
import { macText } from './radius-user-name.js';

export interface RadiusNas {
  readonly identifier: string;
  readonly address: Ipv4;
  /** Names an access interface: the first part of every NAS-Port-Id. */
  readonly interfaceName: (ifindex: number) => string;
  /** The access interface, when there is but one: then a line that was only announced is known to be there. */
  readonly soleInterface: string | null;
}

export function addNas(builder: RadiusAttributesBuilder, nas: RadiusNas): RadiusAttributesBuilder {
  return builder.add(Attribute.NasIdentifier, nas.identifier).add(Attribute.NasIpAddress, nas.address);
}

/** `access0:100.7`, `access0:100`, or `access0` for an untagged line (RFC 2869 §5.17: text of our own making). */
export function nasPortIdText(interfaceName: string, { sVlan, cVlan }: VlanTags): string {
  const tags = [sVlan, cVlan].filter((tag) => tag !== 0);
  return tags.length === 0 ? interfaceName : `${interfaceName}:${tags.join('.')}`;
}

/** RFC 4679 §3.3.1: not empty. Beyond what fits, an identifier cut short would be that of another line: none is sent. */
function fits(bytes: Uint8Array | undefined): Uint8Array | null {
  return bytes !== undefined && bytes.length > 0 && bytes.length <= MAX_VENDOR_VALUE ? bytes : null;
}

/** A line that no frame has come from: what the access node tells of it, which is seldom the MAC, and nothing else. */
export function addUnseenLine(
  builder: RadiusAttributesBuilder,
  nas: RadiusNas,
  announced: AnnouncedLine | null,
): RadiusAttributesBuilder {
  const { tags, mac, circuitId, remoteId } = announced ?? {};
  const port =
    tags === undefined || nas.soleInterface === null ? null : nasPortIdText(nas.soleInterface, tags);
  return builder
    .add(Attribute.NasPortType, NasPortType.Ethernet)
    .addIf(Attribute.NasPortId, port)
    .addIf(Attribute.CallingStationId, mac === undefined ? null : macText(mac))
    .addIf(Attribute.AdslAgentCircuitId, fits(circuitId))
    .addIf(Attribute.AdslAgentRemoteId, fits(remoteId));
}

export function addLine(
  builder: RadiusAttributesBuilder,
  nas: RadiusNas,
  line: AccessLine,
): RadiusAttributesBuilder {
  return builder
    .add(Attribute.NasPortType, NasPortType.Ethernet)
    .add(Attribute.NasPortId, nasPortIdText(nas.interfaceName(line.ifindex), line))
    .add(Attribute.CallingStationId, macText(line.mac))
    .addIf(Attribute.AdslAgentCircuitId, fits(line.circuitId))
    .addIf(Attribute.AdslAgentRemoteId, fits(line.remoteId));
}
