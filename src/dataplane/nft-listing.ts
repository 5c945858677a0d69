/** Reads our nftables table back with a `nft` of its own, whether or not a BNG runs. Changes nothing. */
import { execa } from 'execa';
import { formatIpv4, type Ipv4 } from '../model/ipv4.js';
import { GARDEN_MEMBERS } from './nft-ruleset.js';

export type NftListing =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: string };

export interface NftListingOptions {
  readonly table: string;
  readonly deadlineMs: number;
}

/** The rules as `nft` prints them; `members` adds the elements of the sets, of which there is one a walled subscriber. */
export async function listTable(
  { table, deadlineMs }: NftListingOptions,
  members: boolean,
): Promise<NftListing> {
  const args = [...(members ? [] : ['-t']), 'list', 'table', 'inet', table];
  const result = await execa('nft', args, { timeout: deadlineMs, reject: false, stripFinalNewline: true });
  return result.failed
    ? {
        ok: false,
        reason: result.stderr === '' ? (result.shortMessage ?? 'nft failed') : firstLine(result.stderr),
      }
    : { ok: true, text: result.stdout };
}

/** Whether the stack treats the address as a walled subscriber's; null when nft cannot say. */
export async function isGardenMember(
  { table, deadlineMs }: NftListingOptions,
  address: Ipv4,
): Promise<boolean | null> {
  const element = `{ ${formatIpv4(address)} }`;
  const args = ['get', 'element', 'inet', table, GARDEN_MEMBERS, element];
  const result = await execa('nft', args, { timeout: deadlineMs, reject: false });
  if (!result.failed) return true;
  return result.exitCode === 1 && result.stderr.includes('No such file') ? false : null;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
