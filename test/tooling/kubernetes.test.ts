/** deploy/kubernetes and deploy/Tiltfile, offline: held against the Kubernetes and CRD schemas, against each other, and against bng. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import ts from 'typescript';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '../../src/config/parse-config.js';
import { kustomize, type Manifest, nameOf } from '../support/kustomize.js';

const repository = join(import.meta.dirname, '..', '..', '..');
const deploy = join(repository, 'deploy');
const OVERLAYS = ['example', 'demo'] as const;
const overlay = (name: string): string => join(deploy, 'kubernetes/overlays', name);

/** Where the generated model of each kind is: a class that validates by the published schema, and an interface of it. */
const MODELS: Readonly<Record<string, string>> = {
  ConfigMap: 'kubernetes-models/v1',
  Namespace: 'kubernetes-models/v1',
  Service: 'kubernetes-models/v1',
  DaemonSet: 'kubernetes-models/apps/v1',
  Deployment: 'kubernetes-models/apps/v1',
  PrometheusRule: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
  ServiceMonitor: '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1',
};

type Model = new (data: Manifest) => { validate(): void };

async function problemOf(manifest: Manifest): Promise<string | null> {
  const kind = String(manifest['kind']);
  const path = MODELS[kind];
  if (path === undefined) return `${kind}: no schema is named for it`;
  const models = (await import(`${path}/${kind}`)) as Readonly<Record<string, Model>>;
  try {
    new models[kind]!(manifest).validate();
    return null;
  } catch (error) {
    return `${nameOf(manifest)}: ${String(error)}`;
  }
}

/** What the schemas let pass as "additional": the compiler refuses fields that an interface does not have. */
function unknownFields(manifests: readonly Manifest[]): readonly string[] {
  const file = join(repository, 'dist/kubernetes-manifests.ts');
  const lines = manifests.map((manifest, at) => {
    const kind = String(manifest['kind']);
    return `import type { I${kind} as T${at} } from '${MODELS[kind]}/${kind}';\nexport const m${at}: T${at} = ${JSON.stringify(manifest)};`;
  });
  const compilerOptions: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(compilerOptions);
  const source = ts.createSourceFile(file, lines.join('\n'), ts.ScriptTarget.ES2022, true);
  const program = ts.createProgram([file], compilerOptions, {
    ...host,
    getSourceFile: (name, ...rest) => (name === file ? source : host.getSourceFile(name, ...rest)),
    fileExists: (name) => name === file || host.fileExists(name),
  });
  return program
    .getSemanticDiagnostics(source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

function built(name: string): Readonly<Record<string, Manifest>> {
  return Object.fromEntries(kustomize(overlay(name)).map((manifest) => [nameOf(manifest), manifest]));
}

/** `a.b[0].c` of a manifest. */
function at(manifest: Manifest | undefined, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, key) => (value as Readonly<Record<string, unknown>> | undefined)?.[key],
      manifest,
    );
}

const POD = 'spec.template.spec';

describe('deploy/kubernetes', () => {
  for (const name of OVERLAYS) {
    test(`every manifest of the overlay ${name} is what the published schemas want`, async () => {
      const problems = await Promise.all(kustomize(overlay(name)).map(problemOf));
      assert.deepEqual(
        problems.filter((problem) => problem !== null),
        [],
      );
    });
  }

  test('no manifest has a field that Kubernetes does not know', () => {
    assert.deepEqual(unknownFields(OVERLAYS.flatMap((name) => kustomize(overlay(name)))), []);
  });

  test('a wrong type, a missing field and a misspelt one are found', async () => {
    const { 'DaemonSet bng': good } = built('example');
    const broken = (change: (spec: Record<string, unknown>) => void): Manifest => {
      const copy = structuredClone(good) as Manifest;
      change(at(copy, POD) as Record<string, unknown>);
      return copy;
    };
    assert.match((await problemOf(broken((spec) => (spec['hostNetwork'] = 'yes')))) ?? '', /hostNetwork/);
    assert.match((await problemOf(broken((spec) => delete spec['containers']))) ?? '', /containers/);
    assert.match(unknownFields([broken((spec) => (spec['hostNetwrok'] = true))]).join(), /hostNetwrok/);
  });

  test('it is what kubectl builds, where there is a kubectl', (t) => {
    if (spawnSync('kubectl', ['version', '--client']).status !== 0) {
      t.diagnostic('no kubectl here: only our own builder was asked');
      return;
    }
    const sorted = (manifests: readonly Manifest[]): Manifest[] =>
      [...manifests].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    for (const name of OVERLAYS) {
      const text = execFileSync('kubectl', ['kustomize', overlay(name)], { encoding: 'utf8' });
      const theirs = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
      assert.deepEqual(sorted(kustomize(overlay(name))), sorted(theirs));
    }
  });

  test('the BNG runs on labelled nodes, on the host network, with the five capabilities of the systemd unit and no more', () => {
    const { 'DaemonSet bng': set } = built('example');
    assert.equal(at(set, `${POD}.hostNetwork`), true);
    assert.deepEqual(at(set, `${POD}.nodeSelector`), { 'bng.example.net/role': 'bng' });
    const unit = readFileSync(join(deploy, 'systemd/bng.service'), 'utf8');
    const ofUnit = /^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
    const { drop, add } = at(set, `${POD}.containers.0.securityContext.capabilities`) as {
      drop: string[];
      add: string[];
    };
    assert.deepEqual(drop, ['ALL']);
    assert.deepEqual(add.map((capability) => `CAP_${capability}`).sort(), [...ofUnit].sort());
    assert.equal(at(set, `${POD}.containers.0.securityContext.privileged`), undefined);
  });

  test('configuration, secrets, bpffs and state are mounted where the configuration has them', () => {
    const { 'DaemonSet bng': set, 'ConfigMap bng-config': map } = built('example');
    const result = parseConfig(
      String(at(map, 'data') && (map?.['data'] as Record<string, string>)['bng.yaml']),
    );
    assert.ok(result.ok, JSON.stringify(result));
    const { config } = result;
    const mounts = at(set, `${POD}.containers.0.volumeMounts`) as { name: string; mountPath: string }[];
    const volumes = at(set, `${POD}.volumes`) as { name: string }[];
    assert.deepEqual(mounts.map(({ name }) => name).sort(), volumes.map(({ name }) => name).sort());
    const isMounted = (path: string): boolean =>
      mounts.some(({ mountPath }) => path.startsWith(`${mountPath}/`) || path === mountPath);
    const args = at(set, `${POD}.containers.0.args`) as string[];
    const paths = [
      args.at(-1)!,
      config.api.tokenFile,
      config.api.socket,
      config.store!.path,
      config.dataplane.pinPath,
    ];
    assert.deepEqual(
      paths.filter((path) => !isMounted(path)),
      [],
    );
    const env = at(set, `${POD}.initContainers.0.env`) as { name: string; value: string }[];
    assert.deepEqual(
      env.map(({ value }) => value),
      [config.access.interfaces.join(' '), config.core.interfaces.join(' ')],
    );
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'])
      assert.equal(at(set, `${POD}.containers.0.${probe}.httpGet.port`), config.api.listen.port);
  });

  test('Prometheus finds the metrics and the committed alerts, and Grafana the committed dashboards', () => {
    const {
      'ServiceMonitor bng': monitor,
      'Service bng': service,
      'ConfigMap bng-dashboards': boards,
      'PrometheusRule bng': rule,
    } = built('example');
    const labels = at(monitor, 'spec.selector.matchLabels');
    assert.deepEqual((service?.['metadata'] as Manifest)['labels'], labels);
    assert.equal(at(monitor, 'spec.endpoints.0.port'), at(service, 'spec.ports.0.name'));
    const committed = readFileSync(join(repository, 'grafana/dashboards/bng-overview.json'), 'utf8');
    const alerts = readFileSync(join(repository, 'grafana/prometheus/alerts.yml'), 'utf8');
    assert.deepEqual(rule?.['spec'], parse(alerts));
    assert.equal((boards?.['data'] as Record<string, string>)['bng-overview.json'], committed);
  });
});

/** Starlark is nearly a subset of Python: what Tilt's functions are called with is written down instead of done. */
const TILT = `
import ast, json, sys
calls = []
def record(name):
    def call(*args, **named):
        calls.append([name, args, named])
        return [name, args]
    return call
names = ['docker_build', 'k8s_yaml', 'kustomize', 'k8s_resource']
tree = ast.parse(open(sys.argv[1]).read())
beyond = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.While, ast.Try, ast.With, ast.Global, ast.Yield, ast.JoinedStr)
assert not any(isinstance(node, beyond) for node in ast.walk(tree)), 'not in Starlark'
exec(compile(tree, 'Tiltfile', 'exec'), {'__builtins__': {}, **{name: record(name) for name in names}})
print(json.dumps(calls))
`;

describe('deploy/Tiltfile', () => {
  type Call = readonly [name: string, args: readonly unknown[], named: Readonly<Record<string, unknown>>];
  const calls = JSON.parse(
    execFileSync('python3', ['-c', TILT, join(deploy, 'Tiltfile')], { encoding: 'utf8' }),
  ) as readonly Call[];
  const named = (name: string): readonly Call[] => calls.filter(([called]) => called === name);

  test('it builds the image of the demo from the Dockerfile, and brings up the overlay that uses it', () => {
    const [[, [image, context], { dockerfile, target }]] = named('docker_build') as [Call];
    assert.equal(join(deploy, String(context)), repository);
    const text = readFileSync(join(deploy, String(dockerfile)), 'utf8');
    assert.match(text, new RegExp(`^FROM \\S+ AS ${String(target)}$`, 'm'));
    const [[, [folder]]] = named('kustomize') as [Call];
    assert.ok(existsSync(join(deploy, String(folder), 'kustomization.yaml')));
    const { 'Deployment bng-demo': demo } = built('demo');
    assert.equal(at(demo, `${POD}.containers.0.image`), image);
  });

  test('BNG, Prometheus and Grafana are there to be looked at, each at a port of its own', () => {
    const manifests = built('demo');
    const ports = named('k8s_resource').map(([, [workload], { port_forwards: forwards }]) => {
      const [here, there] = String((forwards as string[])[0]).split(':');
      const deployment = manifests[`Deployment ${String(workload)}`];
      assert.equal(
        at(deployment, `${POD}.containers.0.ports.0.containerPort`),
        Number(there),
        String(workload),
      );
      return here;
    });
    assert.equal(new Set(ports).size, 3);
  });
});
