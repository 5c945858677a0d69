/**
 * A real Prometheus with the configuration that we ship, started in the BNG's namespace, and asked over its HTTP API. Holds no
 * expectation about what it finds.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { Child } from '../../src/lab/exec.js';
import type { Lab } from '../../src/lab/lab.js';
import { NamespaceProbe } from '../../src/lab/namespace-probe.js';
import { patience } from '../../src/lab/patience.js';
import { until } from './lab-house.js';

const repository = join(import.meta.dirname, '..', '..', '..');
const LISTEN = '127.0.0.1:9091';
const READY_MS = 15_000;
const QUERY_MS = 10_000 * patience;

const sampleSchema = z.tuple([z.number(), z.string()]);
const answerSchema = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z
    .object({
      result: z.array(
        z.object({
          metric: z.record(z.string(), z.string()),
          value: sampleSchema.optional(),
          values: z.array(sampleSchema).optional(),
        }),
      ),
    })
    .optional(),
});
const rulesSchema = z.object({
  data: z.object({
    groups: z.array(z.object({ rules: z.array(z.looseObject({ name: z.string(), health: z.string() })) })),
  }),
});

export interface FoundSeries {
  readonly labels: Readonly<Record<string, string>>;
  /** In their order in time; one for an instant query. */
  readonly values: readonly number[];
}

export class Prometheus {
  readonly #probe: NamespaceProbe;
  readonly #beganSeconds = Date.now() / 1000;

  private constructor(probe: NamespaceProbe) {
    this.#probe = probe;
  }

  /** Starts it with two scrapes a second, and resolves after the first; it ends with the lab. */
  static async start(lab: Lab): Promise<Prometheus> {
    const shipped = join(repository, 'grafana/prometheus');
    const folder = join(lab.paths.directory, 'prometheus');
    mkdirSync(folder, { recursive: true });
    const config = parse(readFileSync(join(shipped, 'prometheus.yml'), 'utf8')) as Record<string, unknown>;
    const ours = {
      ...config,
      global: { scrape_interval: '500ms', evaluation_interval: '1s' },
      rule_files: [join(shipped, 'alerts.yml')],
    };
    writeFileSync(join(folder, 'prometheus.yml'), stringify(ours));
    const child = new Child(
      [
        'prometheus',
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=${LISTEN}`,
        '--log.level=warn',
      ],
      { namespace: lab.namespaces.bng, logFile: lab.paths.logFile('prometheus') },
    );
    lab.onClose(() => child.stop());
    const prometheus = new Prometheus(new NamespaceProbe(lab.namespaces.bng));
    await until('Prometheus is ready (apt-get install prometheus)', READY_MS, async () => {
      const answer = await prometheus.#probe.httpGet(`http://${LISTEN}/-/ready`, 1_000 * patience);
      return answer.ok && answer.status === 200 ? true : null;
    });
    // Its targets are looked up some seconds later.
    await prometheus.instant('up');
    return prometheus;
  }

  /**
   * What it is by the BNG's last scrape, which came in time: on a busy machine one takes longer than the half second that
   * it has, and then Prometheus knows of no series at all until the next.
   */
  async instant(expression: string): Promise<readonly FoundSeries[]> {
    const time = await until('a scrape in time', READY_MS, async () => {
      const now = String(Date.now() / 1000);
      const [up] = await this.#ask('query', { query: 'up{job="bng"}', time: now });
      return up?.values[0] === 1 ? now : null;
    });
    return this.#ask('query', { query: expression, time });
  }

  /** What it was in every half second since Prometheus started. */
  range(expression: string): Promise<readonly FoundSeries[]> {
    const start = this.#beganSeconds.toFixed(0);
    return this.#ask('query_range', {
      query: expression,
      start,
      end: String(Date.now() / 1000),
      step: '0.5',
    });
  }

  /** The rules that it has loaded, by name, and whether each can be evaluated. */
  async ruleHealth(): Promise<ReadonlyMap<string, string>> {
    const { data } = rulesSchema.parse(JSON.parse(await this.#get('rules', {})));
    return new Map(data.groups.flatMap(({ rules }) => rules.map(({ name, health }) => [name, health])));
  }

  async #ask(path: string, parameters: Readonly<Record<string, string>>): Promise<readonly FoundSeries[]> {
    const { status, error, data } = answerSchema.parse(JSON.parse(await this.#get(path, parameters)));
    assert.equal(status, 'success', `${parameters['query']}: ${error}`);
    return (data?.result ?? []).map(({ metric, value, values }) => ({
      labels: metric,
      values: (value === undefined ? (values ?? []) : [value]).map(([, text]) => Number(text)),
    }));
  }

  async #get(path: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const data = Object.entries(parameters).flatMap(([name, value]) => [
      '--data-urlencode',
      `${name}=${value}`,
    ]);
    const command = ['curl', '-sS', '--noproxy', '*', '-G', ...data, `http://${LISTEN}/api/v1/${path}`];
    const { exitCode, stdout, stderr } = await this.#probe.run(command, QUERY_MS);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  }
}
