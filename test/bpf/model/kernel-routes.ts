/** This namespace's routes and neighbours as `ip` lists them, in the form the model asks for. Longest prefix, local first. */
import { execFileSync } from 'node:child_process';
import { address, mac } from '../../support/packet.js';
import { covers, type Neighbour, type RouteAnswer, type Routes } from './world.js';

interface ListedRoute {
  readonly dst: string;
  readonly type?: string;
  readonly table?: string;
  readonly gateway?: string;
  readonly dev?: string;
  readonly metrics?: readonly { readonly mtu?: number }[];
}

interface ListedNeighbour {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
}

interface ListedLink {
  readonly ifname: string;
  readonly ifindex: number;
  readonly mtu: number;
  readonly address: string;
}

interface Route {
  readonly network: number;
  readonly length: number;
  readonly isLocalTable: boolean;
  readonly answer: RouteAnswer;
}

function listed<T>(...args: readonly string[]): readonly T[] {
  return JSON.parse(execFileSync('ip', ['-j', ...args], { encoding: 'utf8' })) as readonly T[];
}

/** Types the FIB answers with an error of their own; what is neither these nor unicast is not forwarded. */
const REFUSING = ['blackhole', 'unreachable', 'prohibit'];

function answerOf(route: ListedRoute, links: ReadonlyMap<string, ListedLink>): RouteAnswer {
  const { type = 'unicast' } = route;
  if (REFUSING.includes(type)) return { kind: 'refused' };
  const link = links.get(route.dev ?? '');
  if (type !== 'unicast' || link === undefined) return { kind: 'not-forwarded' };
  return {
    kind: 'unicast',
    ifindex: link.ifindex,
    nextHop: route.gateway === undefined ? 0 : address(route.gateway),
    mtu: route.metrics?.[0]?.mtu ?? link.mtu,
  };
}

/** Read once: nothing may change them while the model is asked. MTUs of routes must be locked ones. */
export function kernelRoutes(): Routes {
  const links = new Map(listed<ListedLink>('link', 'show').map((link) => [link.ifname, link]));
  const routes = listed<ListedRoute>('-4', 'route', 'show', 'table', 'all').map((route): Route => {
    const [network = '', length = '32'] = route.dst === 'default' ? ['0.0.0.0', '0'] : route.dst.split('/');
    const isLocalTable = route.table === 'local';
    return {
      network: address(network),
      length: Number(length),
      isLocalTable,
      answer: answerOf(route, links),
    };
  });
  routes.sort((a, b) => Number(b.isLocalTable) - Number(a.isLocalTable) || b.length - a.length);
  const neighbours = new Map<string, Neighbour>();
  for (const { dst, dev, lladdr } of listed<ListedNeighbour>('-4', 'neighbour', 'show')) {
    const link = links.get(dev);
    if (lladdr === undefined || link === undefined) continue;
    const found = { destinationMac: mac(lladdr), sourceMac: mac(link.address) };
    neighbours.set(`${link.ifindex}/${address(dst)}`, found);
  }
  return {
    lookup: (destination) =>
      routes.find((route) => covers(route, destination))?.answer ?? { kind: 'not-forwarded' },
    neighbour: (ifindex, next) => neighbours.get(`${ifindex}/${next}`) ?? null,
  };
}
