/** A packet socket in a namespace, as lines of hex on standard input (send) and output (received), after `ready`. */
import { createInterface } from 'node:readline';
import { loadNative } from '../../src/dataplane/load-native.js';

const native = loadNative();
const socket = native.openPacketSocket({
  ifindex: native.interfaceIndex(process.argv[2] ?? ''),
  onFrame: (frame) => void process.stdout.write(`${Buffer.from(frame).toString('hex')}\n`),
});
createInterface({ input: process.stdin })
  .on('line', (line) => socket.send(Buffer.from(line, 'hex')))
  .on('close', () => process.exit(0));
process.stdout.write('ready\n');
