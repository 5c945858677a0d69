/**
 * The lab's web servers as a process: plain HTTP on ports 80 and 443 of each address given as `name=address`. Pages name
 * the server and the client's address; `GET /bytes/N` gives N bytes, a POST is read to its end. Prints `ready`.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const PORTS = [80, 443];
const CHUNK = Buffer.alloc(64 * 1024, 'bng-lab ');
const LARGEST_DOWNLOAD = 2 ** 40;

function* chunks(total: number): Generator<Buffer> {
  for (let rest = total; rest > 0; rest -= CHUNK.length)
    yield CHUNK.subarray(0, Math.min(rest, CHUNK.length));
}

async function answer(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const client = request.socket.remoteAddress ?? '';
  const size = /^\/bytes\/([0-9]+)$/.exec(request.url ?? '')?.[1];
  if (request.method === 'POST') {
    let bytes = 0;
    for await (const chunk of request) bytes += (chunk as Buffer).length;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ bytes, client }));
  } else if (size !== undefined && Number(size) <= LARGEST_DOWNLOAD) {
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size });
    await pipeline(Readable.from(chunks(Number(size))), response);
  } else {
    response
      .setHeader('content-type', 'text/plain')
      .end(`server ${name}\nclient ${client}\npath ${request.url}\n`);
  }
}

await Promise.all(
  process.argv.slice(2).flatMap((argument) => {
    const [name = '', host = ''] = argument.split('=');
    return PORTS.map(async (port) => {
      const server = createServer((request, response) => {
        // A client that goes away in the middle of a download is its own affair.
        answer(name, request, response).catch(() => response.destroy());
      });
      server.listen(port, host);
      await once(server, 'listening');
    });
  }),
);
console.log('ready');
