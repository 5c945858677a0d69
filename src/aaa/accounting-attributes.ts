/** A stored accounting record as RADIUS attributes, in the order of RFC 2866 §5. Acct-Delay-Time is the client's to add. */
import { parseIpv4 } from '../model/ipv4.js';
import type { RadiusAttributes } from '../wire/radius-attributes.js';
import { MAX_VENDOR_VALUE, RadiusAttributesBuilder } from '../wire/radius-attributes-builder.js';
import { Attribute } from '../wire/radius-dictionary.js';
import { AcctStatusType, AcctTerminateCause, NasPortType } from '../wire/radius-values.js';
import type { AccountingRecord, SessionAttributes, UsageAttributes } from './accounting-record.js';
import type { RadiusNas } from './radius-nas-attributes.js';
import { addNas } from './radius-nas-attributes.js';

const STATUS: Readonly<Record<AccountingRecord['Acct-Status-Type'], number>> = {
  Start: AcctStatusType.Start,
  'Interim-Update': AcctStatusType.InterimUpdate,
  Stop: AcctStatusType.Stop,
  'Accounting-On': AcctStatusType.AccountingOn,
  'Accounting-Off': AcctStatusType.AccountingOff,
};

const MAX_U32 = 0xffffffffn;

/** What does not fit an attribute is `BNG_ERR_VALUE`. */
export function accountingAttributes(record: AccountingRecord, nas: RadiusNas): RadiusAttributes {
  const builder = new RadiusAttributesBuilder()
    .add(Attribute.AcctStatusType, STATUS[record['Acct-Status-Type']])
    .add(Attribute.AcctSessionId, record['Acct-Session-Id'])
    .add(Attribute.EventTimestamp, record['Event-Timestamp']);
  addNas(builder, nas);
  switch (record['Acct-Status-Type']) {
    case 'Accounting-On':
    case 'Accounting-Off':
      break;
    case 'Start':
      addSession(builder, record);
      break;
    case 'Interim-Update':
      addSession(builder, record);
      addUsage(builder, record);
      break;
    case 'Stop':
      addSession(builder, record);
      addUsage(builder, record);
      builder.add(Attribute.AcctTerminateCause, AcctTerminateCause[record['Acct-Terminate-Cause']]);
      break;
  }
  return builder.build();
}

function addSession(builder: RadiusAttributesBuilder, record: SessionAttributes): void {
  builder
    .add(Attribute.AcctMultiSessionId, record['Acct-Multi-Session-Id'])
    .add(Attribute.UserName, record['User-Name'])
    .add(Attribute.NasPortType, NasPortType.Ethernet)
    .add(Attribute.NasPortId, record['NAS-Port-Id'])
    .add(Attribute.CallingStationId, record['Calling-Station-Id'])
    .add(Attribute.FramedIpAddress, parseIpv4(record['Framed-IP-Address']))
    .addIf(Attribute.AdslAgentCircuitId, fitting(record['ADSL-Agent-Circuit-Id']))
    .addIf(Attribute.AdslAgentRemoteId, fitting(record['ADSL-Agent-Remote-Id']))
    .addEach(Attribute.Class, (record.Class ?? []).map(bytesOf))
    .add(Attribute.BngSubscriberId, record['Bng-Subscriber-Id']);
}

function addUsage(builder: RadiusAttributesBuilder, usage: UsageAttributes): void {
  builder
    .octets64(Attribute.AcctInputOctets, Attribute.AcctInputGigawords, BigInt(usage['Acct-Input-Octets']))
    .octets64(Attribute.AcctOutputOctets, Attribute.AcctOutputGigawords, BigInt(usage['Acct-Output-Octets']))
    .add(Attribute.AcctInputPackets, packets(usage['Acct-Input-Packets']))
    .add(Attribute.AcctOutputPackets, packets(usage['Acct-Output-Packets']))
    .add(Attribute.AcctSessionTime, usage['Acct-Session-Time']);
}

/** Packets have no Gigawords: beyond 32 bits the count stands still, since one that wraps would run backwards. */
function packets(count: string): number {
  const exact = BigInt(count);
  return Number(exact > MAX_U32 ? MAX_U32 : exact);
}

/** Absent when empty or too long, as in Access-Requests: cut short it would be the identifier of another line. */
function fitting(hex: string | undefined): Uint8Array | null {
  if (hex === undefined) return null;
  const bytes = bytesOf(hex);
  return bytes.length > 0 && bytes.length <= MAX_VENDOR_VALUE ? bytes : null;
}

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex.slice(2), 'hex');
}
