/** Reads the built operator page from disk, once at start: a part of the composition root. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PageFile, PageFiles } from './http/page-file.js';
import { BngError } from './model/bng-error.js';

const FOLDER = fileURLToPath(new URL('./operator-page/built/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

function read(name: string): PageFile {
  const type = TYPES[extname(name)];
  if (type === undefined) throw new BngError('BNG_ERR_CONFIG', 'expected a file of the page', { name });
  return { type, bytes: readFileSync(join(FOLDER, name)) };
}

/** Throws `BNG_ERR_CONFIG` in a tree where only tsc has run. */
export function readPageFiles(): PageFiles {
  if (!existsSync(FOLDER)) {
    throw new BngError('BNG_ERR_CONFIG', 'expected the operator page to be built: make build', {
      path: FOLDER,
    });
  }
  const names = readdirSync(FOLDER);
  const index = read('index.html');
  const assets = new Map(names.filter((name) => name !== 'index.html').map((name) => [name, read(name)]));
  return { index, assets, version: createHash('sha256').update(index.bytes).digest('hex').slice(0, 16) };
}
