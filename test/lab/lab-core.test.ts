/** The lab's core network and its probes, reached from an untagged ONT through the kernel's own routing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BngProcess } from '../../src/lab/bng-process.js';
import { CORE_ADDRESSES } from '../../src/lab/core-network.js';
import { shell } from '../../src/lab/exec.js';
import { Lab } from '../../src/lab/lab.js';
import type { OntHost } from '../../src/lab/ont-host.js';
import { isBngError } from '../../src/model/bng-error.js';

const { internet, gardenAllowed, resolvers } = CORE_ADDRESSES;
const CUSTOMER = '10.0.0.10';
const SILENT = '192.0.2.98';
const ABSENT = '192.0.2.99';

describe('the core network of the lab', { timeout: 90_000 }, () => {
  let lab: Lab;
  let ont: OntHost;

  before(async () => {
    lab = await Lab.create({ prefix: 'lbn' });
    await shell(
      `echo 1 >/proc/sys/net/ipv4/ip_forward
      ip addr add 10.0.0.1/24 dev access0
      ip route add unreachable ${ABSENT}/32`,
      { namespace: lab.namespaces.bng },
    );
    await shell(`ip route add blackhole ${SILENT}/32`, { namespace: lab.namespaces.core });
    ont = await lab.plug({ ontSerial: 'ONT1', port: '1/1/1', tagging: 'untagged', client: 'none' });
    await shell(`ip addr add ${CUSTOMER}/24 dev eth0; ip route add default via 10.0.0.1`, {
      namespace: ont.namespace,
    });
  });
  after(async () => lab?.close());

  for (const [name, address] of [
    ['internet', internet],
    ['garden-allowed', gardenAllowed],
  ] as const) {
    for (const port of [80, 443]) {
      it(`the web server ${name} names itself and the client on port ${port}`, async () => {
        const answer = await ont.httpGet(`http://${address}:${port}/some/page`);
        assert.deepEqual(answer, {
          ok: true,
          status: 200,
          body: `server ${name}\nclient ${CUSTOMER}\npath /some/page\n`,
          redirect: '',
        });
      });
    }
  }

  it('every resolver answers any name over UDP and TCP', async () => {
    for (const resolver of resolvers) {
      assert.equal(await ont.dnsQuery('anything.example', resolver), internet, resolver);
    }
    // Length 29, then a query for the A record of example.org; the response is 16 bytes longer.
    const query =
      '\\x00\\x1d\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x07example\\x03org\\x00\\x00\\x01\\x00\\x01';
    const script = `exec 3<>/dev/tcp/${resolvers[0]}/53; printf '${query}' >&3; head -c 2 <&3 | od -An -tu1`;
    assert.equal((await ont.run(['bash', '-c', script])).stdout.trim().replace(/\s+/, ' '), '0 45');
  });

  it('downloads and uploads are counted to the byte', async () => {
    const down = await ont.download(`http://${internet}/bytes/3000001`, 10_000);
    assert.ok(down.ok, JSON.stringify(down));
    assert.equal(down.bytes, 3_000_001);
    const up = await ont.upload(`http://${internet}/`, 300_001, 10_000);
    assert.ok(up.ok, JSON.stringify(up));
    assert.equal(up.bytes, 300_001);
  });

  it('a TCP connect is connected, refused, unreachable or without an answer', async () => {
    assert.equal(await ont.tcpConnect(internet, 80), 'connected');
    assert.equal(await ont.tcpConnect(internet, 81), 'refused');
    assert.equal(await ont.tcpConnect(ABSENT, 80), 'unreachable');
    assert.equal(await ont.tcpConnect(SILENT, 80, 500), 'timeout');
  });

  it('what does not answer is a value', async () => {
    assert.deepEqual(await ont.ping(internet), { sent: 1, received: 1 });
    assert.deepEqual(await ont.ping(SILENT, { timeoutMs: 300 }), { sent: 1, received: 0 });
    assert.equal((await ont.httpGet(`http://${SILENT}/`, 300)).ok, false);
    assert.equal((await ont.download(`http://${SILENT}/bytes/1`, 300)).ok, false);
    assert.equal(await ont.dnsQuery('anything.example', SILENT, 500), null);
  });

  it('the BNG runs in its namespace, is waited for, and stops when asked', async () => {
    const program = `
      const start = Date.now();
      require('node:http').createServer((request, response) => {
        response.statusCode = Date.now() - start > 200 ? 200 : 503; response.end('from ' + request.socket.localAddress);
      }).listen(8080, '127.0.0.1');
      process.on('SIGTERM', () => { console.log('stopping'); process.exit(0); });
      console.log('starting');`;
    const bng = await BngProcess.start({
      lab,
      command: [process.execPath, '-e', program],
      readyUrl: 'http://127.0.0.1:8080/readyz',
      readyTimeoutMs: 10_000,
    });
    const answer = await bng.get('http://127.0.0.1:8080/');
    assert.ok(answer.ok && answer.body === 'from 127.0.0.1', JSON.stringify(answer));
    assert.equal(bng.exit, null);
    await bng.stop();
    assert.deepEqual(bng.exit, { exitCode: 0, signal: null });
    assert.equal(bng.logTail(), 'starting\nstopping\n');
  });

  it('a BNG that exits or is never ready is an error with the end of its log', async () => {
    const options = { lab, readyUrl: 'http://127.0.0.1:8080/readyz', readyTimeoutMs: 500 };
    await assert.rejects(
      BngProcess.start({ ...options, command: ['sh', '-c', 'echo no such interface; exit 3'] }),
      (error) => isBngError(error, 'BNG_ERR_LAB') && /exitCode:3.*no such interface/s.test(error.message),
    );
    await assert.rejects(BngProcess.start({ ...options, command: ['sleep', '60'] }), (error) =>
      isBngError(error, 'BNG_ERR_DEADLINE'),
    );
  });
});
