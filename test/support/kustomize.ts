/**
 * Builds a kustomization as `kubectl kustomize` does, for the few features that deploy/kubernetes uses; any other is refused, so that
 * nothing is built wrongly in silence. Reads files only.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';

export type Manifest = Readonly<Record<string, unknown>>;

const options = z.strictObject({
  disableNameSuffixHash: z.literal(true),
  labels: z.record(z.string(), z.string()).optional(),
});
const kustomizationSchema = z.strictObject({
  apiVersion: z.literal('kustomize.config.k8s.io/v1beta1'),
  kind: z.literal('Kustomization'),
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string(), newTag: z.string() })).default([]),
  configMapGenerator: z
    .array(z.strictObject({ name: z.string(), files: z.array(z.string()), options }))
    .default([]),
  patches: z.array(z.strictObject({ path: z.string() })).default([]),
});

/** Every manifest of the folder's kustomization. */
export function kustomize(folder: string): readonly Manifest[] {
  const text = readFileSync(join(folder, 'kustomization.yaml'), 'utf8');
  const { namespace, resources, images, configMapGenerator, patches } = kustomizationSchema.parse(
    parse(text),
  );
  const taken = resources.flatMap((path) => resource(join(folder, path)));
  const made = configMapGenerator.map(({ name, files, options: { labels } }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, ...(labels !== undefined && { labels }) },
    data: Object.fromEntries(files.map((file) => [basename(file), readFileSync(join(folder, file), 'utf8')])),
  }));
  const patched = patches.reduce<readonly Manifest[]>(
    (all, { path }) => withPatch(all, parse(readFileSync(join(folder, path), 'utf8')) as Manifest),
    [...taken, ...made],
  );
  return patched.map((manifest) => withImages(inNamespace(manifest, namespace), images) as Manifest);
}

function resource(path: string): readonly Manifest[] {
  if (!existsSync(path)) throw new Error(`no resource ${path}`);
  if (statSync(path).isDirectory()) return kustomize(path);
  return parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${String(document.errors[0])}`);
    return document.toJS() as Manifest;
  });
}

export function nameOf(manifest: Manifest): string {
  return `${String(manifest['kind'])} ${String((manifest['metadata'] as Manifest)['name'])}`;
}

function inNamespace(manifest: Manifest, namespace: string | undefined): Manifest {
  if (namespace === undefined || manifest['kind'] === 'Namespace') return manifest;
  return { ...manifest, metadata: { ...(manifest['metadata'] as Manifest), namespace } };
}

function withImages(
  value: unknown,
  images: readonly { name: string; newName: string; newTag: string }[],
): unknown {
  if (Array.isArray(value)) return value.map((one) => withImages(one, images));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const image = key === 'image' ? images.find(({ name }) => name === inner) : undefined;
      return [key, image === undefined ? withImages(inner, images) : `${image.newName}:${image.newTag}`];
    }),
  );
}

function withPatch(all: readonly Manifest[], patch: Manifest): readonly Manifest[] {
  const name = nameOf(patch);
  if (!all.some((one) => nameOf(one) === name)) throw new Error(`a patch of ${name}, which is not there`);
  return all.map((one) => (nameOf(one) === name ? (merged(one, patch) as Manifest) : one));
}

/** A strategic merge: mappings by key, lists of what has a name by that name. */
function merged(base: unknown, patch: unknown): unknown {
  if (Array.isArray(base) && Array.isArray(patch)) {
    const named = (list: unknown[]): list is { name: string }[] =>
      list.every((one) => typeof one === 'object' && one !== null && 'name' in one);
    if (!named(base) || !named(patch)) throw new Error('a patch of a list without names is not known here');
    const fresh = patch.filter(({ name }) => !base.some((one) => one.name === name));
    return [...base.map((one) => merged(one, patch.find(({ name }) => name === one.name) ?? {})), ...fresh];
  }
  if (typeof base !== 'object' || base === null || typeof patch !== 'object' || patch === null) return patch;
  const both: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(patch))
    both[key] = key in base ? merged(both[key], value) : value;
  return both;
}
