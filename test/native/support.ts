/**
 * What the addon's tests share: compiled fixtures, the reason to skip, a child process in a network namespace.
 * Holds no assertion about the addon.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadNative } from '../../src/dataplane/load-native.js';
import type { NativeFailure, NativeObject } from '../../src/dataplane/native-binding.js';
import { patience } from '../../src/lab/patience.js';
import { multiarch } from '../support/multiarch.js';

/** False, or the reason that node:test prints. */
export const skip: string | false = process.getuid?.() === 0 ? false : 'bpf(2) needs root';

export const native = loadNative();

const sources = fileURLToPath(new URL('../../../test/native/', import.meta.url));
const compiled = new Map<string, string>();
let folder: string | undefined;

/** Compiles `test/native/NAME.bpf.c` once a process, into a folder that goes with the process. */
export function fixture(name: 'fixture' | 'keyed' | 'refused'): string {
  const present = compiled.get(name);
  if (present !== undefined) return present;
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'nat-'));
    folder = made;
    process.once('exit', () => rmSync(made, { recursive: true, force: true }));
  }
  const object = join(folder, `${name}.o`);
  const flags = ['-O2', '-g', '-target', 'bpf', '-Wall', '-Werror', `-I/usr/include/${multiarch}`];
  execFileSync('clang', [...flags, '-c', join(sources, `${name}.bpf.c`), '-o', object]);
  compiled.set(name, object);
  return object;
}

/** The fixture, loaded; close it. */
export function loadFixture(): NativeObject {
  const object = native.openObject(fixture('fixture'));
  object.load();
  return object;
}

/** For assert.throws: an error of the addon with this code and operation. */
export function failure(operation: string, code: string, text: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    const found = error as Error & NativeFailure;
    return (
      found instanceof Error &&
      found.operation === operation &&
      found.code === code &&
      found.errno > 0 &&
      found.message.startsWith(`${operation}: `) &&
      found.message.endsWith(` ${code}`) &&
      text.test(found.message)
    );
  };
}

/** True in the child; in the parent declares the test that runs this file again in a network namespace of its own. */
export function inNamespace(url: string): boolean {
  if (skip !== false || process.argv.includes('--in-namespace')) return true;
  test('all of it in a network namespace of its own', () => {
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
    const child = spawnSync('unshare', ['--net', process.execPath, fileURLToPath(url), '--in-namespace'], {
      env: environment,
      encoding: 'utf8',
      timeout: 60_000 * patience,
    });
    if (child.status !== 0)
      throw new Error(`child: ${child.status ?? child.signal}\n${child.stdout}${child.stderr}`);
    if (!/# pass [1-9]/.test(child.stdout) && !/pass [1-9]/.test(child.stdout)) {
      throw new Error(`expected tests to pass in the child, found none\n${child.stdout}`);
    }
  });
  return false;
}

/** A cable in the present namespace: two interfaces, both up. */
export function makeVeth(near: string, far: string): { readonly near: number; readonly far: number } {
  execFileSync('ip', ['link', 'add', near, 'type', 'veth', 'peer', 'name', far]);
  for (const name of [near, far]) execFileSync('ip', ['link', 'set', name, 'up', 'addrgenmode', 'none']);
  // The kernel learns of the carrier a moment later, on a busy machine a second; until then it drops what is sent.
  const isUp =
    'until ip link show "$1" | grep -q "state UP" && ip link show "$2" | grep -q "state UP"; do sleep 0.01; done';
  execFileSync('sh', ['-c', isUp, 'is-up', near, far], { timeout: 5_000 * patience });
  return { near: native.interfaceIndex(near), far: native.interfaceIndex(far) };
}

/** Gives the loop turns until the condition holds; throws after the deadline. */
export async function until(what: string, condition: () => boolean, deadlineMs = 5_000): Promise<void> {
  const end = Date.now() + deadlineMs * patience;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`expected ${what} within ${deadlineMs * patience} ms`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
