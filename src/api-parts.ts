/** Opens the operator API, over TCP and over the unix socket: the part of the composition root that concerns it. */
import { basename } from 'node:path';
import type { Config } from './config/config.js';
import { readTlsFiles } from './config/tls-files.js';
import { isGardenMember, listTable } from './dataplane/nft-listing.js';
import { buildApi } from './http/api.js';
import type { ApiOptions } from './http/api-options.js';
import type { FirewallInspection } from './http/kernel-routes.js';
import { listenLocally } from './http/local-socket.js';
import { formatIpv4 } from './model/ipv4.js';
import { readPageFiles } from './page-files.js';

const NFT_DEADLINE_MS = 10_000;

type Stop = () => void | Promise<void>;

export interface ApiParts {
  readonly config: Config['api'];
  readonly token: string;
  readonly nftTable: string;
  readonly options: Omit<ApiOptions, 'token' | 'tokenName' | 'tls' | 'isLocal' | 'firewall' | 'page'>;
  readonly onBug: (error: unknown) => void;
  /** Told what must be closed, in the order of opening. */
  readonly onOpened: (stop: Stop) => void;
}

/** Listens on both; what was opened is told at once, so that it is closed when the rest fails. Throws `BNG_ERR_CONFIG`. */
export async function openApi({
  config,
  token,
  nftTable,
  options,
  onBug,
  onOpened,
}: ApiParts): Promise<void> {
  const firewall = kernelFirewall(nftTable);
  const tls = config.tls === null ? {} : { tls: readTlsFiles(config.tls) };
  const tokenName = basename(config.tokenFile);
  const page = { files: readPageFiles(), onBug };
  const remote = buildApi({ ...options, ...tls, firewall, token, tokenName, page });
  onOpened(() => remote.close());
  await remote.listen({ host: formatIpv4(config.listen.address), port: config.listen.port });
  const local = buildApi({ ...options, firewall, token: null, isLocal: true });
  onOpened(await listenLocally(local, config.socket));
}

function kernelFirewall(table: string): FirewallInspection {
  const where = { table, deadlineMs: NFT_DEADLINE_MS };
  return {
    listing: (members) => listTable(where, members),
    isGardenMember: (address) => isGardenMember(where, address),
  };
}
