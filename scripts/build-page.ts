/** Bundles the operator page into dist: one script, one style sheet, one icon, each named by its hash, and the page that names them. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const SOURCE = 'src/operator-page';
const BUILT = 'dist/src/operator-page/built';
/** What was current two years ago; the style sheet's light-dark() asks for no less. */
const TARGETS = ['chrome124', 'firefox125', 'safari17.5'];

const { outputFiles } = await build({
  entryPoints: [join(SOURCE, 'main.ts')],
  tsconfig: join(SOURCE, 'tsconfig.json'),
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  target: TARGETS,
  outdir: BUILT,
  legalComments: 'inline',
  logLevel: 'warning',
});

const icon = join(SOURCE, 'icon.svg');
const files = [
  ...outputFiles.map(({ path, contents }) => ({ name: basename(path), bytes: Buffer.from(contents) })),
  { name: basename(icon), bytes: readFileSync(icon) },
];
rmSync(BUILT, { recursive: true, force: true });
mkdirSync(BUILT, { recursive: true });
let index = readFileSync(join(SOURCE, 'index.html'), 'utf8');
for (const { name, bytes } of files) {
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const hashed = name.replace('.', `-${hash}.`);
  index = index.replaceAll(`{{${name}}}`, `/assets/${hashed}`);
  writeFileSync(join(BUILT, hashed), bytes);
}
writeFileSync(join(BUILT, 'index.html'), index);
