/** The tags of a frame that nobody asked for: those of the line's own frames, where they are known. */
import type { Attachment } from '../model/access-line.js';
import type { VlanTag } from '../wire/ethernet.js';

/** TPIDs for lines whose own are not known. */
export interface LineTpids {
  readonly sTpid: number;
  readonly cTpid: number;
}

/** Outermost first. */
export function lineTags(line: Omit<Attachment, 'ifindex' | 'mac'>, tpids: LineTpids): readonly VlanTag[] {
  const { sVlan, cVlan, sTpid, cTpid } = { ...tpids, ...line };
  const tag = (vlanId: number, tpid: number): VlanTag => ({ tpid, vlanId, priority: 0, dropEligible: false });
  if (sVlan === 0) return [];
  return cVlan === 0 ? [tag(sVlan, sTpid)] : [tag(sVlan, sTpid), tag(cVlan, cTpid)];
}
