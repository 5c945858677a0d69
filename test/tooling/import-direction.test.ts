// The import directions of design.md §2 as eslint enforces them: forbidden imports are reported, allowed ones are not, and
// every room of src has its entry. It lints texts under made-up paths; it holds no rule itself.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const repository = join(import.meta.dirname, '..', '..', '..');

// Rules that need types are off: a made-up file is in no TypeScript project.
const eslint = new ESLint({
  cwd: repository,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { languageOptions: { parserOptions: { project: false } } },
  ] as ESLint.Options['overrideConfig'],
});

async function reports(file: string, text: string): Promise<string[]> {
  const results = await eslint.lintText(text, { filePath: join(repository, file) });
  return results.flatMap((result) => result.messages.map((message) => message.ruleId ?? message.message));
}

describe('import direction', () => {
  const cases: readonly [file: string, imported: string, allowed: boolean][] = [
    ['src/wire/made-up.ts', '../model/mac.js', true],
    ['src/session/made-up.ts', '../model/mac.js', true],
    ['src/session/made-up.ts', '../aaa/port.js', true],
    ['src/session/made-up.ts', '../dataplane/port.js', true],
    ['src/http/made-up.ts', '../session/view.js', true],
    ['src/dhcpv4/made-up.ts', '../session/inlet.js', true],
    ['src/olt/made-up.ts', '../session/access-node.js', true],
    ['src/daemon.ts', './dataplane/native-binding.js', true],
    ['src/bin/made-up.ts', '../dataplane/native-binding.js', true],
    ['src/lab/made-up.ts', '../dataplane/native-binding.js', true],
    ['src/dataplane/made-up.ts', './native-binding.js', true],
    ['test/model/made-up.ts', '../../src/model/mac.js', true],
    ['src/model/made-up.ts', '../dataplane/native-binding.js', false],
    ['src/session/made-up.ts', '../dataplane/native-binding.js', false],
    ['src/http/made-up.ts', '../dataplane/native-binding.js', false],
    ['src/dhcpv4/made-up.ts', '../dataplane/native-binding.js', false],
    ['src/pool/made-up.ts', '../dataplane/native-binding.js', false],
    ['src/store/made-up.ts', '../dataplane/native-binding.js', false],
    ['src/aaa/made-up.ts', '../session/view.js', false],
    ['src/dataplane/made-up.ts', '../aaa/port.js', false],
    ['src/dhcpv4/made-up.ts', '../pool/port.js', false],
    ['src/http/made-up.ts', '../aaa/port.js', false],
    ['src/olt/made-up.ts', '../dataplane/port.js', false],
    ['src/lab/made-up.ts', '../session/inlet.js', false],
    ['src/wire/made-up.ts', '../session/view.js', false],
    ['src/pool/made-up.ts', '../wire/../session/view.js', false],
    ['src/model/made-up.ts', '../../scripts/test-tally.js', false],
  ];
  for (const [file, imported, allowed] of cases) {
    it(`${file} ${allowed ? 'may' : 'must not'} import ${imported}`, async () => {
      const found = await reports(
        file,
        `import type * as It from '${imported}';\nexport type Held = typeof It;\n`,
      );
      assert.deepEqual(found, allowed ? [] : ['import-x/no-restricted-paths']);
    });
  }

  it('every room of src has its entry, and every entry with a room is listed once', async () => {
    const config = (await import(pathToFileURL(join(repository, 'eslint.config.js')).href)) as {
      readonly listedRooms: readonly string[];
    };
    const rooms = readdirSync(join(repository, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    assert.deepEqual(
      rooms.filter((room) => !config.listedRooms.includes(room)),
      [],
    );
    assert.equal(new Set(config.listedRooms).size, config.listedRooms.length);
  });
});

describe('import circles', () => {
  const imported = /^(?:import|export) (?:[^;]*? from )?'(\.[^']*)\.js';/gms;
  const source = join(repository, 'src');

  function importsOf(file: string): string[] {
    return [...readFileSync(file, 'utf8').matchAll(imported)].map((match) =>
      join(dirname(file), `${match[1] ?? ''}.ts`),
    );
  }

  it('no file of src imports itself, over however many others, not even types', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(source, file));
    const waiting = new Map(
      files.map((file) => [file, importsOf(file).filter((one) => files.includes(one))]),
    );
    assert.ok([...waiting.values()].flat().length > files.length, 'imports are found');
    // Whoever imports nobody that is left goes; what stays is in a circle, or imports one.
    for (let before = 0; before !== waiting.size; ) {
      before = waiting.size;
      for (const [file, others] of waiting) {
        if (!others.some((other) => waiting.has(other))) waiting.delete(file);
      }
    }
    assert.deepEqual([...waiting.keys()], []);
  });
});

describe('house rules', () => {
  it('an inlet may import the types of a port and no value', async () => {
    const type = "import type { It } from '../dataplane/port.js';\nexport type Held = It;\n";
    const value = "import { it } from '../dataplane/port.js';\nexport const held = it;\n";
    for (const room of ['dhcpv4', 'http']) {
      assert.deepEqual(await reports(`src/${room}/made-up.ts`, type), []);
      assert.deepEqual(await reports(`src/${room}/made-up.ts`, value), [
        '@typescript-eslint/no-restricted-imports',
      ]);
    }
  });

  it('a default export is reported', async () => {
    assert.deepEqual(await reports('src/model/made-up.ts', 'export default 1;\n'), [
      'import-x/no-default-export',
    ]);
  });

  it('a file called index.ts is reported', async () => {
    assert.deepEqual(await reports('src/model/index.ts', 'export const one = 1;\n'), [
      'no-restricted-syntax',
    ]);
  });

  it('a file above 300 lines is warned of and one above 500 is refused', async () => {
    const lines = (count: number): string => 'export {};\n'.repeat(count);
    assert.deepEqual(await reports('src/model/made-up.ts', lines(300)), []);
    assert.deepEqual(await reports('src/model/made-up.ts', lines(301)), ['max-lines']);
    assert.deepEqual((await reports('src/model/made-up.ts', lines(501))).sort(), [
      'house/max-lines-hard',
      'max-lines',
    ]);
  });

  it('a non-null assertion is reported in src and accepted in tests', async () => {
    const text = 'export const first = (list: number[]): number => list[0]!;\n';
    assert.deepEqual(await reports('src/model/made-up.ts', text), [
      '@typescript-eslint/no-non-null-assertion',
    ]);
    assert.deepEqual(await reports('test/model/made-up.ts', text), []);
  });
});
