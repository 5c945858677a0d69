/** Makes one file of a compiled target, our code in it instrumented, ready to be imported. Runs nothing. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OnLoadResult, Plugin } from 'esbuild';
import { build } from 'esbuild';
import { MOST_LOCATIONS } from './coverage.js';
import { instrument } from './instrument.js';

export interface Bundle {
  readonly path: string;
  /** Counters in it. */
  readonly locations: number;
}

/** Codecs of others that meet foreign bytes first. */
const FOREIGN_CODECS = /^dns-packet/;

/** `repository` holds dist; the bundle goes to build/fuzz. */
export async function bundleTarget(repository: string, target: string): Promise<Bundle> {
  const path = join(repository, 'build/fuzz', `${target}.mjs`);
  const counted = { locations: 0 };
  await build({
    entryPoints: [join(repository, 'dist/test/fuzz/targets', `${target}.js`)],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    plugins: [instrumentation(repository, counted)],
  });
  if (counted.locations > MOST_LOCATIONS)
    throw new Error(`${target}: ${counted.locations} branches, expected at most ${MOST_LOCATIONS}`);
  return { path, locations: counted.locations };
}

function instrumentation(repository: string, counted: { locations: number }): Plugin {
  const ours = join(resolve(repository), 'dist', 'src');
  return {
    name: 'instrumentation',
    setup(building) {
      // Other people's code runs as it is, but for codecs.
      building.onResolve({ filter: /^[^./]/ }, ({ path }) =>
        FOREIGN_CODECS.test(path) ? undefined : { path, external: true },
      );
      building.onLoad({ filter: /\.js$/ }, ({ path }): OnLoadResult => {
        // A file finds its neighbours from where it was, not from where the bundle is.
        const code = readFileSync(path, 'utf8')
          .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
          .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
        if (!path.startsWith(ours) && !path.includes('/node_modules/dns-packet/'))
          return { contents: code, loader: 'js' };
        const result = instrument(code, counted.locations);
        counted.locations = result.locations;
        return { contents: result.code, loader: 'js' };
      });
    },
  };
}
