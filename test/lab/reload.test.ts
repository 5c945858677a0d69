/** The configuration read again by the real BNG under traffic: what changes live does, and what cannot changes nothing. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { Child, exec, shell } from '../../src/lab/exec.js';
import { LAB_VLANS } from '../../src/lab/lab-bng.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import { radiusConfig, startLabRadius } from '../../src/lab/lab-radius.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { hasFreeRadius } from '../../src/lab/radius-server.js';
import type { RadiusServer } from '../../src/lab/radius-server.js';
import { patience } from '../../src/lab/patience.js';
import { parsePrefix } from '../../src/model/ipv4.js';
import { GARDEN, House, leaseIn, ordered, REFUSED_MS, RESIDENTIAL, until } from '../support/lab-house.js';

const ACTIVE = 'RELOAD01';
const WALLED = 'RELOAD02';
const LATE = 'RELOAD03';
const MOVES = 'RELOAD04';
const ACCEPT = 'Auth-Type := Accept';
const USERS = `${ACTIVE} ${ACCEPT}
  Framed-Pool = "isp-residential"

${WALLED} ${ACCEPT}

${MOVES} ${ACCEPT}

${LATE} ${ACCEPT}
  Filter-Id = "gold"
`;
const NEW_POOL = { name: 'new', network: '10.64.0.0/24', gateway: '10.64.0.1', dns: ['1.1.1.1'] };
const NEW = parsePrefix(NEW_POOL.network);
const { internet, gardenAllowed, bng: bngAddress } = CORE_ADDRESSES;
const DEADLINE_MS = 15_000;

type Json = Readonly<Record<string, unknown>>;

describe('reload', { timeout: 120_000, skip: !hasFreeRadius }, () => {
  let house: House;
  let servers: readonly RadiusServer[];
  let active: OntHost;
  let walled: OntHost;
  /** The file as the BNG was started with it. */
  let first: Json;
  let running: Json;

  before(async () => {
    house = await House.start({
      prefix: 'rld',
      configure: async (lab) => {
        servers = await Promise.all([1, 2].map((n) => startLabRadius(lab, { users: USERS }, n)));
        return radiusConfig(lab, servers.slice(0, 1));
      },
    });
    first = JSON.parse(readFileSync(house.bng.configFile, 'utf8')) as Json;
    running = first;
    const { namespaces } = house.lab;
    await shell(`ip route add ${NEW_POOL.network} via ${bngAddress} dev eth0 onlink`, {
      namespace: namespaces.core,
    });
    [active, walled] = (await house.plugAll([
      { ontSerial: ACTIVE, port: '1/1/1', tagging: 'qinq', cVlan: 1, client: 'udhcpc' },
      { ontSerial: WALLED, port: '1/1/2', tagging: 'qinq', cVlan: 2, client: 'udhcpc' },
    ])) as [OntHost, OntHost];
    await Promise.all([leaseIn(active, RESIDENTIAL), leaseIn(walled, GARDEN)]);
  });
  after(() => house?.close());

  const events = (event: string): readonly Json[] =>
    readFileSync(house.bng.process.logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"event":"${event}"`))
      .map((line) => JSON.parse(line) as Json);

  function write(text: string | Json): void {
    writeFileSync(house.bng.configFile, typeof text === 'string' ? text : JSON.stringify(text, null, 2));
  }

  /** SIGHUP, and the line of the log that says what came of it. */
  async function hangUp(event: 'reloaded' | 'reload-refused'): Promise<Json> {
    const known = events(event).length;
    process.kill(house.bng.process.pid!, 'SIGHUP');
    return until(`${event} in the log: ${house.bng.process.logTail()}`, DEADLINE_MS, () => {
      return events(event)[known] ?? null;
    });
  }

  async function bngctlReload(): Promise<{ readonly exitCode: number | null; readonly text: string }> {
    const command = [process.execPath, labProgram('../bin/bngctl.js')];
    const { exitCode, stdout, stderr } = await exec(
      [...command, '--socket', house.lab.paths.apiSocket, 'reload'],
      { timeoutMs: DEADLINE_MS * patience },
    );
    return { exitCode, text: stdout + stderr };
  }

  /** Maps, table, addresses and routes of the BNG, without what counts. */
  async function kernel(): Promise<string> {
    const script = [
      'nft -s list table inet bng',
      'ip -4 -o addr show dev lo | sed "s/valid_lft.*//"',
      'ip route',
    ].join('; ');
    const { stdout, exitCode, stderr } = await house.bng.probe.run(
      ['sh', '-c', script],
      DEADLINE_MS * patience,
    );
    assert.equal(exitCode, 0, stderr);
    const maps = await Promise.all(
      ['bng_garden', 'bng_local', 'bng_subscribers'].map((name) => house.bng.get(`/api/v1/maps/${name}`)),
    );
    return stdout + JSON.stringify(maps.map(({ body }) => body));
  }

  /** Pings a hundred times a second while `work` goes on; how many answers there were, and how many are missing. */
  async function whilePinging(
    flows: readonly { readonly host: OntHost; readonly to: string }[],
    work: () => Promise<void>,
  ): Promise<readonly { readonly answers: number; readonly lost: number }[]> {
    const pings = flows.map(({ host, to }, n) => {
      const logFile = join(house.lab.paths.directory, `ping-${n}.log`);
      const child = new Child(['ping', '-n', '-i', '0.01', to], { namespace: host.namespace, logFile });
      const sequence = (): number[] =>
        [...readFileSync(logFile, 'utf8').matchAll(/icmp_seq=(\d+)/g)].map(([, found]) => Number(found));
      return { child, sequence };
    });
    const answered = (many: number): Promise<true> =>
      until('answers to every ping', DEADLINE_MS, () =>
        pings.every(({ sequence }) => sequence().length >= many) ? true : null,
      );
    await answered(20);
    await work();
    const most = Math.max(...pings.map(({ sequence }) => sequence().length));
    await answered(most + 20);
    await Promise.all(pings.map(({ child }) => child.stop('SIGINT')));
    return pings.map(({ sequence }) => {
      const found = sequence();
      return { answers: found.length, lost: Math.max(...found) - found.length };
    });
  }

  it('a new pool, garden destination, AAA server and filter come into force and no packet is lost', async () => {
    const [one, two] = servers as [RadiusServer, RadiusServer];
    const both = radiusConfig(house.lab, [two, one], {
      radius: { filters: { gold: { pool: NEW_POOL.name, serviceId: 'gold' } } },
    });
    const garden = first['walledGarden'] as Json;
    const more: Json = {
      ...first,
      ...both,
      pools: [...(first['pools'] as readonly Json[]), NEW_POOL],
      olt: { ...(first['olt'] as Json), vlans: { ...LAB_VLANS, new: 400 } },
      walledGarden: { ...garden, allow: [...(garden['allow'] as string[]), `${internet}/32`] },
      qos: { burstMs: 50 },
      log: { level: 'debug' },
    };
    assert.equal(await walled.tcpConnect(internet, 443, REFUSED_MS), 'refused');
    let told: Json = {};
    const flows = [
      { host: active, to: internet },
      { host: walled, to: gardenAllowed },
    ];
    const counts = await whilePinging(flows, async () => {
      write(more);
      told = await hangUp('reloaded');
      assert.equal(await walled.tcpConnect(internet, 443), 'connected');
      // There and back again, through the other door.
      write({ ...more, walledGarden: garden, qos: { burstMs: 100 } });
      const back = await bngctlReload();
      assert.equal(back.exitCode, 0, back.text);
      assert.match(back.text, /^walledGarden\.allow: \[203\.0\.113\.10\/32, 192\.0\.2\.80\/32\] -> \[203/m);
      assert.match(back.text, /^qos\.burstMs: 50 -> 100$/m);
      assert.equal(await walled.tcpConnect(internet, 443, REFUSED_MS), 'refused');
      write(more);
      await hangUp('reloaded');
    });
    for (const { answers, lost } of counts) assert.deepEqual([lost, answers >= 40], [0, true]);
    const changes = told['changes'] as string[];
    assert.deepEqual(
      changes.map((change) => change.replace(/[: ].*/, '')),
      [
        'walledGarden.allow',
        'log.level',
        'qos.burstMs',
        'pools[new]',
        'radius.servers[0].authPort',
        'radius.servers[0].acctPort',
        'radius.servers[1]',
        'radius.filters.gold',
        'olt.vlans.new',
      ],
    );
    running = more;
  });

  it('who comes afterwards is let in by the new server, to the new pool, and reaches the internet', async () => {
    await servers[0]!.kill();
    const late = await house.lab.plug({
      ontSerial: LATE,
      port: '1/1/3',
      tagging: 'qinq',
      cVlan: 3,
      client: 'udhcpc',
    });
    const { address } = await leaseIn(late, NEW);
    const session = await house.untilSession(LATE, 'is active', ({ state }) => state === 'active');
    assert.deepEqual([session.pool, session.service_id, session.address], ['new', 'gold', address]);
    assert.equal((await late.ping(internet, { count: 3 })).received, 3);
    assert.equal(await late.tcpConnect(internet, 443), 'connected');
    assert.equal(await house.allocated('new'), 1);
    const metrics = await house.bng.metrics();
    assert.ok([...metrics.keys()].some((name) => name.includes('pool="new"')));
  });

  it('an operator can move a line to the new pool', async () => {
    const host = await house.lab.plug({
      ontSerial: MOVES,
      port: '1/1/4',
      tagging: 'qinq',
      cVlan: 4,
      client: 'udhcpc',
    });
    await leaseIn(host, GARDEN);
    ordered(await house.activate(MOVES, { pool: 'new' }));
    await leaseIn(host, NEW);
    assert.equal((await host.ping(internet, { count: 2 })).received, 2);
  });

  it('a file with mistakes is refused with every one of them, and nothing changes', async () => {
    const before = await kernel();
    write({
      ...running,
      log: { level: 'loud' },
      qos: { burstMs: 0 },
      walledGarden: { pool: 'wgar', allow: [] },
    });
    const { problems } = await hangUp('reload-refused');
    const keys = (problems as string[]).map((problem) => /^line \d+: ([^:]+):/.exec(problem)?.[1]);
    assert.deepEqual(keys.sort(), ['log.level', 'qos.burstMs']);
    write('access: [');
    assert.match(JSON.stringify((await hangUp('reload-refused'))['problems']), /line 1/);
    assert.equal(await kernel(), before);
    assert.equal(await walled.tcpConnect(internet, 443), 'connected');
  });

  it('what cannot change live is refused by its key, and what could have changed with it does not', async () => {
    const before = await kernel();
    const pools = (running['pools'] as readonly Json[]).filter(({ name }) => name !== 'isp-residential');
    const { 'isp-residential': _gone, ...vlans } = { ...LAB_VLANS, new: 400 };
    write({
      ...running,
      pools,
      olt: { ...(running['olt'] as Json), vlans },
      metrics: { listen: '127.0.0.1:9191' },
      walledGarden: { ...(running['walledGarden'] as Json), allow: [] },
    });
    const { exitCode, text } = await bngctlReload();
    assert.notEqual(exitCode, 0);
    assert.match(text, /metrics\.listen: 127\.0\.0\.1:9090 -> 127\.0\.0\.1:9191 \(needs a restart\)/);
    assert.match(
      text,
      /pools\[isp-residential\] removed: .*\(1 address is held: set its drain to keep or move/,
    );
    assert.doesNotMatch(text, /walledGarden/);
    assert.equal(await kernel(), before);
    assert.equal(await walled.tcpConnect(internet, 443), 'connected');
  });

  it('a secret that cannot be read is refused, and so is what the kernel does not take', async () => {
    const before = await kernel();
    const radius = running['radius'] as { readonly servers: readonly Json[] };
    write({
      ...running,
      radius: { ...radius, servers: [{ ...radius.servers[0], secretFile: '/nowhere/secret' }] },
      walledGarden: { ...(running['walledGarden'] as Json), allow: [] },
    });
    assert.match(JSON.stringify((await hangUp('reload-refused'))['problems']), /\/nowhere\/secret/);
    assert.equal(await kernel(), before);

    // A route of somebody else's in the way of the pool: the firewall has its new policy by then and gets the old one back.
    const taken = '10.65.0.0/24';
    await house.bng.probe.run(['ip', 'route', 'add', 'prohibit', taken]);
    const withRoute = await kernel();
    const pool = { name: 'taken', network: taken, gateway: '10.65.0.1' };
    write({ ...running, pools: [...(running['pools'] as Json[]), pool] });
    assert.match(JSON.stringify((await hangUp('reload-refused'))['problems']), /dataplane refuses it/);
    assert.equal(await kernel(), withRoute);
    assert.equal(
      await house.bng.probe.run(['ip', 'route', 'del', 'prohibit', taken]).then((r) => r.exitCode),
      0,
    );
  });

  it('the same file again changes nothing and says so', async () => {
    write(running);
    assert.deepEqual((await hangUp('reloaded'))['changes'], []);
    assert.deepEqual(await bngctlReload(), { exitCode: 0, text: 'nothing has changed' });
  });

  it('a restart with the file that was reloaded goes on with all of it', async () => {
    const address = (await house.session(LATE))?.address;
    await house.bng.process.stop();
    assert.equal(house.bng.process.exit?.exitCode, 0);
    await house.restartBng(running);
    const session = await house.untilSession(LATE, 'is back', ({ state }) => state === 'active');
    assert.equal(session.address, address);
    assert.equal(await walled.tcpConnect(internet, 443), 'connected');
  });
});
