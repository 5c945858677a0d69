/**
 * Plays a lab of four lines and writes what bngctl shows of it: docs/bngctl.md as text, docs/bngctl.svg as a picture. As root,
 * in whatever namespaces it is started in; addresses, MACs and times are those of the run.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { CORE_ADDRESSES } from '../src/lab/core-network.js';
import { exec } from '../src/lab/exec.js';
import { LAB_VLANS, LabBng } from '../src/lab/lab-bng.js';
import { labProgram } from '../src/lab/lab-paths.js';
import { Lab } from '../src/lab/lab.js';
import type { OntHost } from '../src/lab/ont-host.js';
import { BngError } from '../src/model/bng-error.js';
import { terminalSvg } from './terminal-svg.js';

const BNGCTL = labProgram('../bin/bngctl.js');
const COLUMNS = 110;
const LEASE_MS = 30_000;
const PICTURE = ['sessions', 'pools'];

interface Shown {
  readonly command: string;
  readonly about: string;
}

const SHOWN: readonly Shown[] = [
  {
    command: 'sessions',
    about:
      'Who is there. `--state`, `--pool`, `--match`, `--sort`, `--columns` and `--watch` narrow and follow it.',
  },
  {
    command: 'session SIMU00000001',
    about: 'Everything about one line, also by address, MAC or circuit-id.',
  },
  { command: 'pools', about: 'How full the pools are.' },
  { command: 'leases', about: 'Who holds which address, and until when.' },
  { command: 'top --once', about: 'Who carries traffic right now.' },
  { command: 'counters', about: 'Sums: sessions, traffic, verdicts, drops.' },
  { command: 'subscribers', about: 'The subscribers as the kernel holds them, read back.' },
  { command: 'maps', about: 'The maps of the dataplane.' },
  { command: 'map bng_garden', about: 'Any of them, decoded; also while no BNG runs.' },
  { command: 'events --limit 8', about: 'What happened; `--follow` goes on.' },
  { command: 'health', about: 'Ready, and if not, why.' },
];

async function captured(socket: string, command: string): Promise<string[]> {
  const program = `${process.execPath} ${BNGCTL} --socket ${socket} ${command}`;
  const script = `stty cols ${COLUMNS} rows 50; ${program}`;
  const { stdout, exitCode } = await exec(['script', '-qec', script, '/dev/null'], { timeoutMs: 20_000 });
  if (exitCode !== 0)
    throw new BngError('BNG_ERR_COMMAND', 'expected bngctl to succeed', { command, stdout });
  return stdout.replaceAll('\r', '').trimEnd().split('\n');
}

/** What `trace` tells while the line asks for its address again. */
async function tracedRenewal(socket: string, host: OntHost): Promise<string[]> {
  const child = spawn(process.execPath, [BNGCTL, '--socket', socket, 'trace', host.ontSerial]);
  const lines: string[] = [];
  const done = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = lines.length;
      lines.push(...text.split('\n').filter((line) => line !== ''));
      if (before === 0) void host.askAgain();
      if (lines.some((line) => line.includes('DHCPACK'))) resolve();
    });
    child.once('close', () => resolve());
  });
  const deadline = setTimeout(() => child.kill(), LEASE_MS);
  await done;
  clearTimeout(deadline);
  child.kill();
  return lines;
}

function plain(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/\u001b\[[0-9]+m/g, '').trimEnd()).join('\n');
}

async function play(lab: Lab): Promise<void> {
  const bng = await LabBng.start(lab);
  const hosts = await Promise.all(
    [1, 2, 3, 4].map((number) =>
      lab.plug({
        ontSerial: `SIMU0000000${number}`,
        port: `1/1/${number}`,
        tagging: 'qinq',
        cVlan: 10 + number,
        client: 'udhcpc',
      }),
    ),
  );
  await Promise.all(hosts.map((host) => host.waitForLease(LEASE_MS)));
  for (const host of hosts.slice(0, 3)) {
    const order = {
      service_id: 'home-100',
      pool: 'isp-residential',
      qos_download_bps: 1e8,
      qos_upload_bps: 2e7,
    };
    await bng.post('/api/v1/activate', { ont_serial: host.ontSerial, ...order });
    await host.waitForLease(
      LEASE_MS,
      ({ address }) => address.startsWith('10.0.') || !address.startsWith('10.255.'),
    );
  }
  await bng.post('/api/v1/suspend', { ont_serial: 'SIMU00000003', reason: 'unpaid' });
  const socket = lab.paths.apiSocket;
  const sections: string[] = [];
  const picture: string[] = [];
  for (const { command, about } of SHOWN) {
    const traffic = hosts[0]?.ping(CORE_ADDRESSES.internet, { count: 10 });
    const lines = await captured(socket, command);
    await traffic;
    const prompt = `# bngctl ${command}`;
    sections.push(
      `## ${command.split(' ')[0] ?? command}\n\n${about}\n\n\`\`\`\n${prompt}\n${plain(lines)}\n\`\`\`\n`,
    );
    if (PICTURE.includes(command)) picture.push(prompt, ...lines, '');
  }
  const [, , , walled] = hosts;
  if (walled !== undefined) {
    const lines = await tracedRenewal(socket, walled);
    sections.push(
      `## trace\n\nOne line, live: its DHCP messages with their verdicts, its session, the dataplane each second.\n\n\`\`\`\n# bngctl trace ${walled.ontSerial}\n${plain(lines)}\n\`\`\`\n`,
    );
  }
  const head = [
    '# bngctl',
    '',
    'Captured from a lab by `make docs-captures`; the manual page (`man -l docs/bngctl.1`) has every command and option.',
    '',
    '',
  ].join('\n');
  writeFileSync('docs/bngctl.md', `${head}${sections.join('\n')}`);
  writeFileSync('docs/bngctl.svg', terminalSvg(picture));
}

const lab = await Lab.create({ prefix: 'docs', gardenSVlan: LAB_VLANS.wgar });
try {
  await play(lab);
} finally {
  await lab.close();
}
