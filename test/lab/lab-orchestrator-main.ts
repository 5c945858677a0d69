/** Builds a lab with ONTs as its own process and prints `up`: for tests that kill it. */
import { Lab } from '../../src/lab/lab.js';

const lab = await Lab.create({ prefix: process.argv[2] ?? '' });
const clients = ['udhcpc', 'dhclient', 'dhcpcd'] as const;
await Promise.all(
  clients.map((client, i) => lab.plug({ ontSerial: client, port: `1/1/${i + 1}`, tagging: 'qinq', client })),
);
process.stdout.write('up\n');
setInterval(() => undefined, 60_000);
