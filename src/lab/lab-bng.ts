/**
 * The real BNG in the lab: `bng run` with a configuration that fits the lab's wiring, and its outside interfaces (API,
 * metrics) as an operator would use them. Asserts nothing.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { BngError } from '../model/bng-error.js';
import { BngProcess } from './bng-process.js';
import { CORE_ADDRESSES } from './core-network.js';
import type { Lab } from './lab.js';
import { labProgram } from './lab-paths.js';
import type { NamespaceProbe } from './namespace-probe.js';
import { patience } from './patience.js';

const API = 'http://127.0.0.1:8080';
const METRICS = 'http://127.0.0.1:9090/metrics';
const READY_TIMEOUT_MS = 15_000 * patience;
/** An emulated CPU takes longer than the default grants. */
const OLT_TIMEOUT_MS = 3_000;
const CALL_TIMEOUT_MS = 10_000 * patience;

/** Sections of bng.yaml that replace the lab's own. */
export type ConfigChanges = Readonly<Record<string, unknown>>;

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** S-VLAN of each pool's lines in the lab. */
export const LAB_VLANS = { wgar: 100, 'isp-residential': 200, 'isp-business': 300 } as const;

/** The configuration of a BNG in `lab`, as `bng.yaml` has it. */
export function labConfig(lab: Lab, tokenFile: string): Record<string, unknown> {
  return {
    access: { interface: lab.accessInterface, xdpMode: 'native', trustOption82: true },
    core: { interface: lab.coreInterface },
    pools: [
      {
        name: 'wgar',
        network: '10.255.0.0/16',
        gateway: '10.255.0.1',
        dns: ['8.8.8.8', '8.8.4.4'],
        leaseTime: '600s',
      },
      {
        name: 'isp-residential',
        network: '10.0.0.0/12',
        gateway: '10.0.0.1',
        dns: ['1.1.1.1', '1.0.0.1'],
        leaseTime: '24h',
      },
      {
        name: 'isp-business',
        network: '10.16.0.0/12',
        gateway: '10.16.0.1',
        dns: ['1.1.1.1', '1.0.0.1'],
        leaseTime: '7d',
      },
    ],
    auth: { mode: 'local', defaultPool: 'wgar' },
    walledGarden: { pool: 'wgar', portal: '10.255.0.1:80', allow: [`${CORE_ADDRESSES.gardenAllowed}/32`] },
    dataplane: { pinPath: `${lab.paths.bpffsDirectory}/bng` },
    olt: {
      socket: lab.paths.oltSocket,
      timeout: `${Math.round(OLT_TIMEOUT_MS * patience)}ms`,
      vlans: LAB_VLANS,
    },
    api: { listen: '127.0.0.1:8080', tokenFile, socket: lab.paths.apiSocket },
    metrics: { listen: '127.0.0.1:9090' },
    store: { path: join(lab.paths.directory, 'store') },
  };
}

export class LabBng {
  readonly process: BngProcess;
  readonly configFile: string;
  readonly tokenFile: string;
  readonly #token: string;

  private constructor(process: BngProcess, files: { configFile: string; tokenFile: string; token: string }) {
    this.process = process;
    this.configFile = files.configFile;
    this.tokenFile = files.tokenFile;
    this.#token = files.token;
  }

  /**
   * Writes the configuration and starts `bng run` with Node.js as `node` has it; resolves when it is ready. Throws `BNG_ERR_LAB`,
   * `BNG_ERR_DEADLINE`.
   */
  static async start(
    lab: Lab,
    changes: ConfigChanges = {},
    node: readonly string[] = [process.execPath],
  ): Promise<LabBng> {
    const configFile = join(lab.paths.directory, 'bng.yaml');
    const tokenFile = join(lab.paths.directory, 'api.token');
    const token = randomBytes(16).toString('hex');
    writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
    // JSON is YAML.
    writeFileSync(configFile, JSON.stringify({ ...labConfig(lab, tokenFile), ...changes }, null, 2));
    const process_ = await BngProcess.start({
      lab,
      command: [...node, labProgram('../bin/bng.js'), 'run', '-c', configFile],
      readyUrl: `${API}/readyz`,
      readyTimeoutMs: READY_TIMEOUT_MS,
    });
    return new LabBng(process_, { configFile, tokenFile, token });
  }

  /** Looks from inside the BNG's namespace. */
  get probe(): NamespaceProbe {
    return this.process.probe;
  }

  /** `bng run --teardown`, after the BNG has ended: ends every session and leaves nothing behind. */
  teardown(): ReturnType<NamespaceProbe['run']> {
    const command = [
      process.execPath,
      labProgram('../bin/bng.js'),
      'run',
      '-c',
      this.configFile,
      '--teardown',
    ];
    return this.probe.run(command, READY_TIMEOUT_MS);
  }

  get(path: string): Promise<ApiAnswer> {
    return this.#call(path, []);
  }

  post(path: string, body: Readonly<Record<string, unknown>>): Promise<ApiAnswer> {
    return this.#call(path, ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]);
  }

  /** Every sample of `/metrics` by its name and labels as printed, such as `bng_sessions_total{state="wgar"}`. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const answer = await this.probe.httpGet(METRICS, CALL_TIMEOUT_MS);
    if (!answer.ok) throw new BngError('BNG_ERR_LAB', 'expected metrics', { reason: answer.reason });
    const samples = answer.body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      samples.map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
    );
  }

  async #call(path: string, args: readonly string[]): Promise<ApiAnswer> {
    const curl = ['curl', '-sS', '--noproxy', '*', '-m', `${CALL_TIMEOUT_MS / 1000}`, '-w', '\n%{http_code}'];
    // The token goes in by standard input: arguments can be read by everybody on the machine.
    const command = [...curl, '-H', '@-', ...args, `${API}${path}`];
    const result = await this.probe.run(command, CALL_TIMEOUT_MS, `authorization: Bearer ${this.#token}\n`);
    const end = result.stdout.lastIndexOf('\n');
    if (result.exitCode !== 0)
      throw new BngError('BNG_ERR_LAB', 'expected the API to answer', { path, stderr: result.stderr });
    const text = result.stdout.slice(0, end);
    return {
      status: Number(result.stdout.slice(end + 1)),
      body: JSON.parse(text === '' ? '{}' : text) as ApiAnswer['body'],
    };
  }
}
