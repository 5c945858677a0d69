/**
 * Prepares the interfaces of this network namespace for the programs and takes back what it changed. What already is
 * as it should be is left alone, and then not taken back either. Holds no addresses plan and no policy of its own.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { execa } from 'execa';
import { BngError, isBngError } from '../model/bng-error.js';
import {
  formatIpv4,
  formatPrefix,
  parseIpv4,
  prefixContains,
  type Ipv4,
  type Ipv4Prefix,
} from '../model/ipv4.js';
import { type Mac, parseMac } from '../model/mac.js';
import { readOffloads, UNWANTED, UNWANTED_OF_PEER, unwantedOn } from './offloads.js';
import { readQueues, wantedQueues } from './queues.js';
import type { UndoJournal, UndoStep } from './undo-journal.js';

export interface PoolNetwork {
  readonly network: Ipv4Prefix;
  readonly gateway: Ipv4;
}

export interface LinkSetupOptions {
  readonly accessInterfaces: readonly string[];
  readonly coreInterfaces: readonly string[];
  /** Longest packet towards a subscriber; the tags come on top. */
  readonly subscriberMtu: number;
  readonly pools: readonly PoolNetwork[];
  /** Every address of ours towards subscribers: gateways and portal; each goes on `lo` as a /32. */
  readonly localAddresses: readonly Ipv4[];
  /** Also set what the dataplane works without: room for tags in the MTU, a receive queue for each CPU. */
  readonly tune: boolean;
  readonly deadlineMs: number;
  /** Learns how to take each change back, and takes them back. */
  readonly journal: UndoJournal;
  /** Told of each change that was made, as a command, and of the one that takes it back. */
  readonly onChange?: (change: string, undo: string) => void;
}

const TWO_TAGS_BYTES = 8;

export interface LinkState {
  readonly mtu: number;
  readonly mac: Mac;
  readonly flags: readonly string[];
}

interface Ensured {
  readonly done: boolean;
  readonly command: readonly string[];
  readonly undo: readonly string[];
  /** What it is about, where `undo` holds the value of before. */
  readonly of?: string;
}

export class LinkSetup {
  readonly #options: LinkSetupOptions;
  readonly #journal: UndoJournal;
  readonly #warnings: string[] = [];

  constructor(options: LinkSetupOptions) {
    this.#options = options;
    this.#journal = options.journal;
  }

  /** What is not as it should be and could not be put right; complete after `apply`. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /**
   * Makes every change; throws `BNG_ERR_DATAPLANE` when one is refused, with the earlier ones still in place and in the
   * journal.
   */
  async apply(): Promise<void> {
    for (const core of this.#options.coreInterfaces) await this.#corePort(core);
    for (const access of this.#options.accessInterfaces) await this.#accessPort(access);
    await this.#reversePathOfOthers();
    await this.#sysctl('net/ipv4/ip_forward', '1');
    // Subscribers reach each other through the gateway alone; a redirect (RFC 792) would name a way that is not there.
    // The kernel sends them when either setting says so; other interfaces keep their own.
    await this.#sysctl('net/ipv4/conf/all/send_redirects', '0');
    await this.applyPools();
  }

  /** The part of `apply` that pools and addresses need, for those that come to a dataplane that runs. */
  async applyPools(): Promise<void> {
    for (const address of this.#options.localAddresses) await this.#localAddress(formatIpv4(address));
    const { accessInterfaces, pools, deadlineMs } = this.#options;
    const links = await Promise.all(
      accessInterfaces.map(async (name) => ({ name, ...(await readLink(name, deadlineMs)) })),
    );
    const isUp = new Set(links.flatMap(({ name, flags }) => (flags.includes('UP') ? [name] : [])));
    for (const pool of pools) await this.#poolRoutes(pool, isUp);
  }

  /**
   * The route to a pool is by one access port, and its subscribers come in by all. The kernel takes the higher of `all`
   * and an interface's own setting, and an interface without an address passes no check of either kind: what `all`
   * asks for is moved to the other interfaces. (Not to `default`: writing that changes every interface never set.)
   */
  async #reversePathOfOthers(): Promise<void> {
    const { accessInterfaces } = this.#options;
    const wanted = (await readFile('/proc/sys/net/ipv4/conf/all/rp_filter', 'utf8')).trim();
    if (accessInterfaces.length === 1 || wanted === '0') return;
    for (const name of await readdir('/proc/sys/net/ipv4/conf')) {
      if (name === 'all' || name === 'default' || accessInterfaces.includes(name)) continue;
      const path = `net/ipv4/conf/${name}/rp_filter`;
      const own = (await readFile(`/proc/sys/${path}`, 'utf8')).trim();
      if (Number(own) < Number(wanted)) await this.#sysctl(path, wanted);
    }
    await this.#sysctl('net/ipv4/conf/all/rp_filter', '0');
  }

  async #corePort(core: string): Promise<void> {
    await this.#up(core);
    await this.#offloads(core, 'core');
    await this.#queues(core);
    // A next hop behind a dead link is none: the FIB then answers with another one.
    await this.#sysctl(`net/ipv4/conf/${core}/ignore_routes_with_linkdown`, '1');
  }

  async #accessPort(access: string): Promise<void> {
    const link = await this.#up(access);
    await this.#roomForTags(access, link);
    await this.#offloads(access, 'access');
    await this.#queues(access);
    // No neighbour is kept for subscribers: the egress program knows their MACs. The gateway's ARP is answered in XDP.
    await this.#ensure({
      done: link.flags.includes('NOARP'),
      command: ['ip', 'link', 'set', access, 'arp', 'off'],
      undo: ['ip', 'link', 'set', access, 'arp', 'on'],
    });
    // The access side is IPv4 only; the stack's own IPv6 chatter would be dropped and counted in tc.
    await this.#sysctl(`net/ipv6/conf/${access}/disable_ipv6`, '1', 'optional');
    await this.#sysctl(`net/ipv4/conf/${access}/rp_filter`, '0');
    await this.#sysctl(`net/ipv4/conf/${access}/send_redirects`, '0');
  }

  async #roomForTags(access: string, { mtu }: LinkState): Promise<void> {
    const { subscriberMtu, tune } = this.#options;
    const wanted = subscriberMtu + TWO_TAGS_BYTES;
    const set = (bytes: number): string[] => ['ip', 'link', 'set', access, 'mtu', String(bytes)];
    const of = `mtu ${access}`;
    if (mtu >= wanted) {
      if (tune) this.#journal.keep({ of });
      return;
    }
    const complaint = `${access} has MTU ${mtu}: packets of ${subscriberMtu} bytes with two tags do not fit`;
    if (tune) await this.#tune({ done: false, command: set(wanted), undo: set(mtu), of }, complaint);
    else this.#warnings.push(`${complaint}; set ${set(wanted).join(' ')}`);
  }

  /** A receive queue for each CPU, so that all take part. */
  async #queues(name: string): Promise<void> {
    if (!this.#options.tune) return;
    const of = `queues ${name}`;
    this.#journal.keep({ of });
    const queues = await readQueues(name, this.#options.deadlineMs);
    const wanted = queues === null ? null : wantedQueues(queues);
    if (queues === null || wanted === null) return;
    const set = (count: number): string[] => ['ethtool', '-L', name, queues.kind, String(count)];
    const complaint = `${name} has ${queues.now} of ${queues.most} receive queues`;
    await this.#tune({ done: false, command: set(wanted), undo: set(queues.now), of }, complaint);
  }

  /** A change that a driver may refuse: then `complaint` stands. */
  async #tune(change: Ensured, complaint: string): Promise<void> {
    try {
      await this.#ensure(change);
    } catch (error) {
      if (!isBngError(error)) throw error;
      this.#warnings.push(`${complaint}, and its driver refuses ${change.command.join(' ')}`);
    }
  }

  async #up(name: string): Promise<LinkState> {
    const link = await readLink(name, this.#options.deadlineMs);
    await this.#ensure({
      done: link.flags.includes('UP'),
      command: ['ip', 'link', 'set', name, 'up'],
      undo: ['ip', 'link', 'set', name, 'down'],
    });
    return link;
  }

  async #localAddress(address: string): Promise<void> {
    const present = await readIp(['addr', 'show', 'to', `${address}/32`], this.#options.deadlineMs);
    await this.#ensure({
      done: present.some((link) => link['ifname'] !== undefined),
      command: ['ip', 'addr', 'add', `${address}/32`, 'dev', 'lo'],
      undo: undoOfLocalAddress(address).run,
    });
  }

  /**
   * One route by each access port, the first preferred: the egress program finds the subscriber's own port from any,
   * and no port that is shut takes the pool away from the others. Replacing leaves no moment without a route.
   */
  async #poolRoutes(pool: PoolNetwork, isUp: ReadonlySet<string>): Promise<void> {
    const network = formatPrefix(pool.network);
    const gateway = formatIpv4(pool.gateway);
    const { accessInterfaces, subscriberMtu, deadlineMs } = this.#options;
    const routes = await readIp(['route', 'show', 'exact', network], deadlineMs);
    const foreign = routes.find((route) => !isPoolRoute(route, pool));
    if (foreign !== undefined) {
      const context = { network, found: JSON.stringify(foreign) };
      throw new BngError('BNG_ERR_DATAPLANE', 'expected no route of somebody else to a pool', context);
    }
    for (const [metric, access] of accessInterfaces.entries()) {
      const what = [...poolRoute(network, access, metric), 'src', gateway, 'mtu', String(subscriberMtu)];
      const isThere = routes.some(
        (route) =>
          route['dev'] === access &&
          (route['metric'] ?? 0) === metric &&
          route['prefsrc'] === gateway &&
          mtuOf(route) === subscriberMtu,
      );
      await this.#ensure({
        // The kernel takes no route by a port that is shut; whoever opens it is seen (link-watch.ts).
        done: isThere || !isUp.has(access),
        command: ['ip', 'route', 'replace', ...what],
        undo: undoOfPoolRoute(network, access, metric).run,
      });
    }
  }

  /** Switches off what can be, and warns of the rest. */
  async #offloads(name: string, side: 'access' | 'core'): Promise<void> {
    const { deadlineMs } = this.#options;
    const offloads = await readOffloads(name, deadlineMs);
    if (typeof offloads === 'string') {
      this.#warnings.push(`offload settings of ${name} are not known: ethtool -k ${name}: ${offloads}`);
      return;
    }
    // Those that are off already were on before an earlier process of ours, where the journal says so.
    for (const { word } of UNWANTED[side]) this.#journal.keep({ run: ['ethtool', '-K', name, word, 'on'] });
    for (const { feature, word, why, fixed } of unwantedOn(offloads, UNWANTED[side])) {
      const command = ['ethtool', '-K', name, word, 'off'];
      if (fixed)
        this.#warnings.push(
          `${feature} of ${name} is on, and its driver refuses ${command.join(' ')}: ${why}`,
        );
      else await this.#ensure({ done: false, command, undo: ['ethtool', '-K', name, word, 'on'] });
    }
    await this.#offloadsOfPeer(name, side);
  }

  /** The far end of a veth is its owner's, so it is only looked at, and only where it is in this namespace too. */
  async #offloadsOfPeer(name: string, side: 'access' | 'core'): Promise<void> {
    const { deadlineMs } = this.#options;
    const [link] = await readIp(['-d', 'link', 'show', 'dev', name], deadlineMs);
    const kind = (link?.['linkinfo'] as { readonly info_kind?: unknown } | undefined)?.info_kind;
    const peer = link?.['link'];
    if (kind !== 'veth' || typeof peer !== 'string') return;
    const offloads = await readOffloads(peer, deadlineMs);
    if (typeof offloads === 'string') return;
    const unwanted = unwantedOn(offloads, UNWANTED_OF_PEER[side]).filter(({ fixed }) => !fixed);
    if (unwanted.length === 0) return;
    const words = unwanted.map(({ word }) => `${word} off`).join(' ');
    const reasons = unwanted.map(({ feature, why }) => `${feature} is on: ${why}`).join('; ');
    this.#warnings.push(`${peer}, the other end of ${name}: ${reasons}; run ethtool -K ${peer} ${words}`);
  }

  async #sysctl(path: string, wanted: string, need: 'required' | 'optional' = 'required'): Promise<void> {
    const file = `/proc/sys/${path}`;
    const before = await readFile(file, 'utf8').catch(() => null);
    if (before === null && need === 'optional') return;
    const step = { file, content: before?.trim() ?? '' };
    if (before?.trim() === wanted) {
      this.#journal.keep(step);
      return;
    }
    try {
      await this.#journal.change(step, () => writeFile(file, wanted));
      const setting = (value: string): string => `sysctl -w ${path}=${value}`;
      this.#options.onChange?.(setting(wanted), setting(step.content));
    } catch (error) {
      throw new BngError('BNG_ERR_DATAPLANE', 'expected a writable kernel setting', { path, wanted }, error);
    }
  }

  async #ensure({ done, command, undo, of }: Ensured): Promise<void> {
    const step: UndoStep = { run: undo, ...(of !== undefined && { of }) };
    if (done) {
      this.#journal.keep(step);
      return;
    }
    await this.#journal.change(step, () => run(command, this.#options.deadlineMs));
    this.#options.onChange?.(command.join(' '), undo.join(' '));
  }
}

interface UndoCommand {
  readonly run: readonly string[];
}

/** How an address of ours on `lo` goes, as the journal has it. */
export function undoOfLocalAddress(address: string): UndoCommand {
  return { run: ['ip', 'addr', 'del', `${address}/32`, 'dev', 'lo'] };
}

/** How the route to a pool by the access port at place `metric` goes, as the journal has it. */
export function undoOfPoolRoute(network: string, access: string, metric: number): UndoCommand {
  return { run: ['ip', 'route', 'del', ...poolRoute(network, access, metric)] };
}

function poolRoute(network: string, access: string, metric: number): readonly string[] {
  return [network, 'dev', access, 'metric', String(metric)];
}

/** An interface of this network namespace; throws `BNG_ERR_DATAPLANE` when there is none of that name. */
export async function readLink(name: string, deadlineMs: number): Promise<LinkState> {
  const [found] = await readIp(['link', 'show', 'dev', name], deadlineMs);
  const mtu = found?.['mtu'];
  const flags = found?.['flags'];
  const address = found?.['address'];
  if (typeof mtu !== 'number' || typeof address !== 'string' || !Array.isArray(flags)) {
    throw new BngError('BNG_ERR_DATAPLANE', 'expected an Ethernet interface', { interface: name });
  }
  return { mtu, mac: parseMac(address), flags: flags.filter((flag) => typeof flag === 'string') };
}

type IpListing = readonly Readonly<Record<string, unknown>>[];

/** Whether it is one of ours, an earlier process's and another gateway's too: only those have a source inside the pool. */
function isPoolRoute(route: IpListing[number], { network }: PoolNetwork): boolean {
  const source = route['prefsrc'];
  return typeof source === 'string' && prefixContains(network, parseIpv4(source));
}

function mtuOf(route: IpListing[number]): unknown {
  const metrics: unknown = route['metrics'];
  return Array.isArray(metrics) ? (metrics as IpListing)[0]?.['mtu'] : undefined;
}

async function readIp(args: readonly string[], deadlineMs: number): Promise<IpListing> {
  const text = await run(['ip', '-j', ...args], deadlineMs);
  const parsed: unknown = text.trim() === '' ? [] : JSON.parse(text);
  return Array.isArray(parsed) ? (parsed as IpListing) : [];
}

async function run(command: readonly string[], deadlineMs: number): Promise<string> {
  const [file = '', ...args] = command;
  const result = await execa(file, args, { timeout: deadlineMs, reject: false });
  if (!result.failed) return result.stdout;
  throw new BngError('BNG_ERR_DATAPLANE', result.stderr || (result.shortMessage ?? 'command failed'), {
    command: command.join(' '),
  });
}
