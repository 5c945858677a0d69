/**
 * What a network card, or the far end of a veth, does to frames before XDP sees them, and what must not be done. Reads
 * and judges; changes nothing.
 */
import { execa } from 'execa';

export interface Offload {
  readonly on: boolean;
  /** The driver does not let it be switched. */
  readonly fixed: boolean;
}

/** By the name that `ethtool -k` gives a feature. */
export type Offloads = ReadonlyMap<string, Offload>;

/** A feature that hides from XDP what it needs to see, and the word by which `ethtool -K` knows it. */
export interface UnwantedOffload {
  readonly feature: string;
  readonly word: string;
  readonly why: string;
}

const VLAN_STRIP: UnwantedOffload = {
  feature: 'rx-vlan-offload',
  word: 'rxvlan',
  why: 'it takes the tag off before XDP sees the frame',
};
/** Of a port that hears lines of VLANs which Linux itself has no interface of. */
const TAGGED: readonly UnwantedOffload[] = [
  VLAN_STRIP,
  {
    feature: 'rx-vlan-stag-hw-parse',
    word: 'rx-vlan-stag-hw-parse',
    why: 'it takes the S-tag off before XDP sees the frame',
  },
  {
    feature: 'rx-vlan-filter',
    word: 'rx-vlan-filter',
    why: 'the card drops frames of VLANs that Linux has no interface of',
  },
  {
    feature: 'rx-vlan-stag-filter',
    word: 'rx-vlan-stag-filter',
    why: 'the card drops frames of S-VLANs that Linux has no interface of',
  },
];
const MERGED: readonly UnwantedOffload[] = [
  { feature: 'large-receive-offload', word: 'lro', why: 'it merges packets, which cannot be forwarded' },
  { feature: 'rx-gro-hw', word: 'rx-gro-hw', why: 'it merges packets before XDP sees them' },
];

/** What must be off on a port itself. A tag on the core side is someone else's, stripped or not. */
export const UNWANTED: Readonly<Record<'access' | 'core', readonly UnwantedOffload[]>> = {
  access: [...TAGGED, ...MERGED],
  core: MERGED,
};

const LATE_CHECKSUM: UnwantedOffload = {
  feature: 'tx-checksumming',
  word: 'tx',
  why: 'checksums are left to a card that is not there: TCP does not survive a redirect',
};
const TAGS_APART: readonly UnwantedOffload[] = [
  { feature: 'tx-vlan-offload', word: 'txvlan', why: 'XDP does not see the tag' },
  { feature: 'tx-vlan-stag-hw-insert', word: 'tx-vlan-stag-hw-insert', why: 'XDP does not see the S-tag' },
];

/** What must be off at the far end of a port that is a veth. */
export const UNWANTED_OF_PEER: Readonly<Record<'access' | 'core', readonly UnwantedOffload[]>> = {
  access: [LATE_CHECKSUM, ...TAGS_APART],
  core: [LATE_CHECKSUM],
};

/** Reads what `ethtool -k` lists; a text says why it cannot be known. */
export async function readOffloads(name: string, deadlineMs: number): Promise<Offloads | string> {
  const listing = await execa('ethtool', ['-k', name], { timeout: deadlineMs, reject: false });
  return listing.failed ? (listing.shortMessage ?? 'failed') : parseOffloads(listing.stdout);
}

/** `tx-vlan-offload: off [fixed]`, one a line. */
export function parseOffloads(listing: string): Offloads {
  const found = listing.matchAll(/^\s*([a-z0-9-]+): (on|off)(?: \[(\w+).*)?$/gm);
  return new Map(
    Array.from(found, ([, feature = '', state, note]) => [
      feature,
      { on: state === 'on', fixed: note === 'fixed' },
    ]),
  );
}

/** The unwanted that are on. */
export function unwantedOn(
  offloads: Offloads,
  unwanted: readonly UnwantedOffload[],
): readonly (UnwantedOffload & Offload)[] {
  return unwanted.flatMap((one) => {
    const state = offloads.get(one.feature);
    return state?.on === true ? [{ ...one, ...state }] : [];
  });
}
