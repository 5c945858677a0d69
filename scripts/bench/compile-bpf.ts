/** Compiles a BPF source of this repository as scripts/build-bpf.sh does. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../src/bin/bng/project-root.js';
import { execOrThrow } from '../../src/lab/exec.js';

const TIMEOUT_MS = 60_000;
const FLAGS = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Wextra', '-Wpadded', '-Werror'];

/** `source` is relative to the repository. Throws `BNG_ERR_LAB` with the compiler's words. */
export async function compileBpf(source: string, objectPath: string): Promise<void> {
  mkdirSync(dirname(objectPath), { recursive: true });
  const machine = (await execOrThrow(['gcc', '-dumpmachine'])).trim();
  const include = `-I/usr/include/${machine}`;
  const input = join(projectRoot(), source);
  await execOrThrow(['clang', ...FLAGS, include, '-c', input, '-o', objectPath], { timeoutMs: TIMEOUT_MS });
}
