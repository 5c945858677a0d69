/**
 * The lab's resolvers as a process: answers on UDP and TCP port 53 of the addresses given as arguments behind the
 * address to answer with. Prints `ready`.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ipv4ToBytes, parseIpv4 } from '../model/ipv4.js';
import { answerDnsQuery } from './dns-answer.js';

const DNS_PORT = 53;
const IDLE_MS = 10_000;

const [answer = '', ...listenOn] = process.argv.slice(2);
const address = ipv4ToBytes(parseIpv4(answer));

async function serveUdp(host: string): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (query, peer) => {
    const response = answerDnsQuery(query, address);
    if (response !== null) socket.send(response, peer.port, peer.address);
  });
  socket.bind(DNS_PORT, host);
  await once(socket, 'listening');
}

/** Each message has its length in front (RFC 1035 §4.2.2). */
async function serveTcp(host: string): Promise<void> {
  const server = createServer((peer) => {
    let buffered = Buffer.alloc(0);
    peer.setTimeout(IDLE_MS, () => peer.destroy());
    peer.on('error', () => peer.destroy());
    peer.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
        const end = 2 + buffered.readUInt16BE(0);
        const response = answerDnsQuery(buffered.subarray(2, end), address);
        buffered = buffered.subarray(end);
        if (response === null) return void peer.destroy();
        peer.write(Buffer.concat([Buffer.of(response.length >>> 8, response.length & 255), response]));
      }
    });
  });
  server.listen(DNS_PORT, host);
  await once(server, 'listening');
}

await Promise.all(listenOn.flatMap((host) => [serveUdp(host), serveTcp(host)]));
console.log('ready');
