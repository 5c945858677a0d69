/** bngctl store: a store that is not in use is checked, written out and filled. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runBngctl } from '../../src/bin/bngctl/program.js';
import { openStore } from '../../src/store-parts.js';
import { memoryFolder } from '../support/accounting-world.js';
import { World } from '../support/lives.js';
import { Sqlite } from '../../src/store/sqlite-library.js';

async function ctl(...args: string[]): Promise<{ exit: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const exit = await runBngctl(['store', ...args], {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    width: null,
    colour: false,
    isScreen: false,
  });
  return { exit, out, err };
}

describe('bngctl store', () => {
  it('exports a store whose import elsewhere gives the same sessions, and changes nothing where it looks', async (t) => {
    const world = new World(t);
    await world.start();
    await world.ont('ONT1').lease();
    const before = [...world.life!.manager.operator.sessions()].map(({ id, address }) => [id, address]);
    await world.stop('keep');
    const bytes = readFileSync(join(world.folder, 'bng.db'));
    const checked = await ctl('check', '--path', world.folder);
    assert.equal(checked.exit, 0, checked.err.join());
    assert.ok(checked.out.includes('  session: 1'), checked.out.join('\n'));
    const { exit, out } = await ctl('export', '--path', world.folder);
    assert.equal(exit, 0);
    assert.deepEqual(readFileSync(join(world.folder, 'bng.db')), bytes);
    const row = out
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .find((r) => r['table'] === 'session');
    assert.equal((row?.['value'] as Record<string, unknown>)['subscriber'], 'ont:ONT1');

    const folder = memoryFolder(t);
    const file = join(folder, 'backup.jsonl');
    writeFileSync(file, out.join('\n'));
    const target = join(folder, 'store');
    const imported = await ctl('import', file, '--path', target);
    assert.deepEqual(
      [imported.exit, imported.out],
      [0, [`${target}: ${out.length} rows`]],
      imported.err.join(),
    );
    Object.assign(world, { folder: target });
    await world.start();
    assert.deepEqual(
      [...world.life!.manager.operator.sessions()].map(({ id, address }) => [id, address]),
      before,
    );
  });

  it('names what is damaged, and leaves it as it is', async (t) => {
    const world = new World(t);
    await world.start();
    await world.ont('ONT1').lease();
    await world.stop('keep');
    const outside = new Sqlite(join(world.folder, 'bng.db'));
    outside.prepare(`UPDATE session SET value = replace(value, 'ont:ONT1', 'ont:ONT2')`).run();
    outside.close();
    const { exit, out } = await ctl('check', '--path', world.folder);
    assert.equal(exit, 1);
    assert.match(out[0] ?? '', /damaged: row ".*" of session/);
    assert.ok(out.includes('  session: 0'));
    assert.equal((await ctl('check', '--path', world.folder)).exit, 1, 'still damaged');
    assert.ok(!readdirSync(world.folder).some((name) => name.includes('damaged')));
    const exported = await ctl('export', '--path', world.folder);
    assert.deepEqual([exported.exit, exported.err.length], [1, 1]);
  });

  it('refuses a store that is in use, is not there, or is not empty, and lines that are no rows', async (t) => {
    const folder = memoryFolder(t);
    const nothing = await ctl('check', '--path', join(folder, 'none'));
    assert.equal(nothing.exit, 1);
    assert.match(nothing.err[0] ?? '', /found no .*bng\.db/);
    const path = join(folder, 'store');
    const store = await openStore(path, 0);
    await store.write([{ op: 'put', table: 'assignment', key: 'a', value: '{}' }]);
    const inUse = await ctl('check', '--path', path);
    assert.match(inUse.err[0] ?? '', /a BNG is running on it/);
    await store.close();
    const file = join(folder, 'rows');
    writeFileSync(file, '{"table":"assignment","key":"b","schemaVersion":1,"value":{}}\n');
    const notEmpty = await ctl('import', file, '--path', path);
    assert.match(notEmpty.err[0] ?? '', /expected an empty store, found rows of assignment/);
    writeFileSync(file, '{"table":"assignment","key":"b","schemaVersion":1,"value":{}}\n{"table":"what"}\n');
    const bad = await ctl('import', file, '--path', join(folder, 'other'));
    assert.equal(bad.exit, 2);
    assert.match(bad.err[0] ?? '', /rows:2: table: expected one of session, assignment/);
  });
});
