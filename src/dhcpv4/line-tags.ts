/** The tags of a line: as its frames bear them, and as frames that nobody asked for should. */
import type { PuntedFrame } from '../dataplane/port.js';
import type { Attachment } from '../model/access-line.js';
import type { Mac } from '../model/mac.js';
import type { VlanTag } from '../wire/ethernet.js';

/** TPIDs for lines whose own are not known. */
export interface LineTpids {
  readonly sTpid: number;
  readonly cTpid: number;
}

/** Where a punted frame of the station came from. */
export function attachmentOf(
  { ifindex, sVlan, cVlan, sTpid, cTpid }: Omit<PuntedFrame, 'frame'>,
  mac: Mac,
): Attachment {
  return {
    ...{ ifindex, sVlan, cVlan, mac },
    ...(sTpid === 0 ? {} : { sTpid }),
    ...(cTpid === 0 ? {} : { cTpid }),
  };
}

/** Outermost first. */
export function lineTags(line: Omit<Attachment, 'ifindex' | 'mac'>, tpids: LineTpids): readonly VlanTag[] {
  const { sVlan, cVlan, sTpid, cTpid } = { ...tpids, ...line };
  const tag = (vlanId: number, tpid: number): VlanTag => ({ tpid, vlanId, priority: 0, dropEligible: false });
  if (sVlan === 0) return [];
  return cVlan === 0 ? [tag(sVlan, sTpid)] : [tag(sVlan, sTpid), tag(cVlan, cTpid)];
}
