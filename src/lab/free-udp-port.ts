/** A UDP port for servers that cannot bind port 0 and say which they got. Nothing holds it until they bind it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** A port that was free a moment ago at `address` (IPv4 text). */
export async function freeUdpPort(address: string): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
