/**
 * Copies dist and makes of each program and kernel test in it one file: `node dist/scripts/vm/bundle.js FOLDER [TEXT...]`; of the tests
 * those whose path holds a text. An emulated CPU starts a program of one file four times faster than one of three hundred modules:
 * `run.sh --dist FOLDER` puts the copy in dist's place. Each module keeps what it knew of its own place.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

// dist/scripts/vm → dist
const DIST = join(import.meta.dirname, '..', '..');
const PROGRAM = /^(src\/bin\/[a-z]+|(src|test)\/.*-(main|thread|child)|scripts\/run-tests)\.js$/;
/** Whose single modules another build replaces: as it was it stays beside its bundle (test/lab/other-build.ts). */
const ALSO_IN_MODULES = ['test/lab/dataplane-holder-main.js'];
const TEST = /^test\/(native|bpf|stock|lab)\/[^/]*\.test\.js$/;
/** With binaries or files of their own beside them. */
const APART = [
  'better-sqlite3',
  'better-sqlite3-napi',
  'esbuild',
  'playwright-core',
  'axe-core',
  'typescript',
];
// What CommonJS packages find missing in a module.
const BANNER = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);`;

const [folder = '', ...texts] = process.argv.slice(2);
if (folder === '') throw new Error('usage: bundle.js FOLDER [TEXT...]');

const entries = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter(
  (path) =>
    PROGRAM.test(path) ||
    (TEST.test(path) && (texts.length === 0 || texts.some((text) => path.includes(text)))),
);

const placed: Plugin = {
  name: 'placed',
  setup: (bundling) => {
    bundling.onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (relative(DIST, path).startsWith('..')) return undefined;
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents, loader: 'js' };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: entries.map((path) => join(DIST, path)),
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outbase: DIST,
  outdir: folder,
  external: APART,
  banner: { js: BANNER },
  // Errors and classes are compared and printed by name.
  keepNames: true,
  plugins: [placed],
  logLevel: 'error',
});

// Hard links cost nothing; a bundle takes a link's place, it is never written through it.
rmSync(folder, { recursive: true, force: true });
mkdirSync(dirname(folder), { recursive: true });
execFileSync('cp', ['-al', DIST, folder]);
for (const path of ALSO_IN_MODULES.map((one) => join(folder, one)))
  cpSync(path, path.replace(/js$/, 'modules.js'));
for (const { path, contents } of outputFiles) {
  rmSync(path);
  writeFileSync(path, contents);
}
