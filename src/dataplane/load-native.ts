/**
 * Finds and loads the compiled addon. Wraps nothing: errors of its verbs reach the caller as they are.
 */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BngError } from '../model/bng-error.js';
import type { NativeBinding } from './native-binding.js';

const ADDON_PATH = join('build', 'Release', 'bng_native.node');

/**
 * Loads `build/Release/bng_native.node` of the nearest folder above this file that has a `package.json`.
 * Throws BNG_ERR_NATIVE when the addon was not built or does not load.
 */
export function loadNative(): NativeBinding {
  const path = join(projectRoot(), ADDON_PATH);
  if (!existsSync(path)) {
    throw new BngError('BNG_ERR_NATIVE', 'expected a built addon, found none: run node-gyp rebuild', {
      path,
    });
  }
  try {
    return createRequire(import.meta.url)(path) as NativeBinding;
  } catch (cause) {
    throw new BngError(
      'BNG_ERR_NATIVE',
      'expected an addon that loads, found one that does not',
      { path },
      cause,
    );
  }
}

function projectRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) {
      throw new BngError('BNG_ERR_NATIVE', 'expected a folder with package.json above, found none', {
        start,
      });
    }
  }
}
