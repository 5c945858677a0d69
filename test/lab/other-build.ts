/**
 * Another build of this project beside the present one: the same sources, but for changes to what user space and kernel share. Its
 * programs, its ABI table and its JavaScript fit each other and not ours. Asserts nothing.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export class OtherBuild {
  readonly #folder: string;

  /** `change` gets the text of `bpf/bng_abi.h` and gives that of the other build. */
  constructor(change: (header: string) => string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'bng-other-'));
    for (const part of ['bpf', 'scripts', 'dist', 'src/dataplane', 'package.json', 'binding.gyp']) {
      cpSync(join(ROOT, part), join(this.#folder, part), {
        recursive: true,
        filter: (path) => !path.endsWith('.test.js'),
      });
    }
    cpSync(join(ROOT, 'build/Release/bng_native.node'), join(this.#folder, 'build/Release/bng_native.node'));
    symlinkSync(join(ROOT, 'node_modules'), join(this.#folder, 'node_modules'));
    const header = join(this.#folder, 'bpf/bng_abi.h');
    writeFileSync(header, change(readFileSync(header, 'utf8')));
    execFileSync(join(this.#folder, 'scripts/build-bpf.sh'), { stdio: 'pipe' });
    execFileSync(process.execPath, [join(this.#folder, 'dist/scripts/generate-abi.js')], {
      cwd: this.#folder,
      stdio: 'pipe',
    });
    const table = readFileSync(join(this.#folder, 'src/dataplane/abi.ts'), 'utf8');
    const { outputText } = ts.transpileModule(table, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    writeFileSync(join(this.#folder, 'dist/src/dataplane/abi.js'), outputText);
  }

  /** The other build's file that is `path` below `dist` here. */
  program(path: string): string {
    const program = join(this.#folder, 'dist', path);
    // A program of one file (scripts/vm/bundle.ts) has the ABI table in it: its modules are beside it.
    const inModules = program.replace(/js$/, 'modules.js');
    return existsSync(inModules) ? inModules : program;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
