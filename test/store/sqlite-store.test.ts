import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { describe, it } from 'node:test';
import type { StoreChange } from '../../src/store/port.js';
import { SqliteStore } from '../../src/store/sqlite-store.js';
import { temporaryFolder } from '../support/accounting-world.js';
import { seededRandom } from '../support/seeded-random.js';
import { Sqlite } from '../../src/store/sqlite-library.js';

const TABLES = [
  { name: 'one', schemaVersion: 1 },
  { name: 'two', schemaVersion: 3 },
];

function put(key: string, value: string | Uint8Array, table = 'one'): StoreChange {
  return { op: 'put', table, key, value };
}

async function open(path: string, tables = TABLES): Promise<SqliteStore> {
  const opened = await SqliteStore.open({ path, tables, wallMs: 77 });
  assert.ok(opened.ok, opened.ok ? '' : opened.failure.reason);
  return opened.value;
}

async function written(store: SqliteStore, changes: readonly StoreChange[]): Promise<void> {
  assert.deepEqual(await store.write(changes), { ok: true, value: null });
}

async function keys(store: SqliteStore, table = 'one'): Promise<readonly string[]> {
  const found = await store.scanKeys(table, null, 100_000);
  assert.ok(found.ok);
  return found.value;
}

describe('the store', () => {
  it('gives back text and bytes of every table after it was closed, with the schema version of their writing', async (t) => {
    const path = join(temporaryFolder(t), 'made', 'anew');
    const first = await open(path);
    await written(first, [put('b', 'text'), put('a', Uint8Array.of(0, 255)), put('k', '', 'two')]);
    await first.close();
    const again = await open(path, [...TABLES.slice(0, 1), { name: 'two', schemaVersion: 4 }]);
    assert.equal(again.damage, null);
    assert.deepEqual(await again.scan('one', null, 10), {
      ok: true,
      value: [
        { key: 'a', value: Uint8Array.of(0, 255), schemaVersion: 1 },
        { key: 'b', value: 'text', schemaVersion: 1 },
      ],
    });
    assert.deepEqual(await again.get('two', ['k', 'missing']), {
      ok: true,
      value: [{ key: 'k', value: '', schemaVersion: 3 }],
    });
    await again.close();
  });

  it('walks a table in pages, in the order of its keys', async (t) => {
    const store = await open(temporaryFolder(t));
    await written(
      store,
      ['c', 'a', 'd', 'b'].map((key) => put(key, key)),
    );
    assert.deepEqual(await store.scanKeys('one', null, 3), { ok: true, value: ['a', 'b', 'c'] });
    assert.deepEqual(await store.scanKeys('one', 'c', 3), { ok: true, value: ['d'] });
    await store.close();
  });

  it('applies the changes of one write in their order, and of many writes in the order of the calls', async (t) => {
    const store = await open(temporaryFolder(t));
    const writes = [
      store.write([put('a', '1')]),
      store.write([put('a', '2'), { op: 'delete', table: 'one', key: 'a' }, put('a', '3')]),
      store.write([put('b', '1')]),
      store.write([{ op: 'delete', table: 'one', key: 'b' }]),
    ];
    const read = await store.scan('one', null, 10);
    assert.deepEqual(read.ok && read.value.map(({ key, value }) => [key, value]), [['a', '3']]);
    for (const write of writes) assert.equal((await write).ok, true);
    await store.close();
  });

  it('is held by one process at a time, and free again when that one is gone', async (t) => {
    const path = temporaryFolder(t);
    const store = await open(path);
    const second = await SqliteStore.open({ path, tables: TABLES, wallMs: 1 });
    assert.equal(!second.ok && second.failure.kind, 'in-use');
    await store.close();
    await (await open(path)).close();
  });

  it('answers with a value after it was closed', async (t) => {
    const store = await open(temporaryFolder(t));
    await store.close();
    await store.close();
    const result = await store.write([put('a', '1')]);
    assert.equal(!result.ok && result.failure.kind, 'closed');
  });

  it('says why a folder cannot be used', async () => {
    const opened = await SqliteStore.open({ path: '/dev/null/none', tables: TABLES, wallMs: 1 });
    assert.equal(!opened.ok && opened.failure.kind, 'unavailable');
  });

  it('refuses rows of a newer version and leaves them alone', async (t) => {
    const path = temporaryFolder(t);
    const store = await open(path);
    await written(store, [put('a', '1', 'two')]);
    await store.close();
    const older = [{ name: 'two', schemaVersion: 2 }];
    const opened = await SqliteStore.open({ path, tables: older, wallMs: 1 });
    assert.match(opened.ok ? '' : opened.failure.reason, /newer version: two has rows of schema 3/);
    const back = await open(path);
    assert.deepEqual(await keys(back, 'two'), ['a']);
    await back.close();
  });

  it('can be read by the sqlite3 command while it is in use', async (t) => {
    const path = temporaryFolder(t);
    const store = await open(path);
    await written(store, [put('a', '{"n":1}')]);
    // The same library that the command is made of, opened from outside.
    const outside = new Sqlite(join(path, 'bng.db'), { readonly: true });
    assert.deepEqual(outside.prepare("SELECT json_extract(value, '$.n') AS n FROM one").all(), [{ n: 1 }]);
    outside.close();
    await store.close();
  });
});

/** A closed store with rows k0000 … of `bytes` bytes each. */
async function filled(t: TestContext, rows: number): Promise<string> {
  const path = temporaryFolder(t);
  const store = await open(path);
  await written(
    store,
    Array.from({ length: rows }, (_, index) =>
      put(`k${String(index).padStart(4, '0')}`, `${index}:${'x'.repeat(300)}`),
    ),
  );
  await store.close();
  return path;
}

/** Every row that is there is as it was written. */
async function assertWholeRows(store: SqliteStore): Promise<number> {
  const rows = await store.scan('one', null, 100_000);
  assert.ok(rows.ok);
  for (const { key, value } of rows.value) {
    assert.equal(value, `${Number(key.slice(1))}:${'x'.repeat(300)}`);
  }
  return rows.value.length;
}

describe('a damaged store', () => {
  it('is named, kept aside, and replaced by its whole rows, wherever bytes are changed', async (t) => {
    const path = await filled(t, 400);
    const file = join(path, 'bng.db');
    const good = readFileSync(file);
    const random = seededRandom(5);
    let damaged = 0;
    for (let round = 0; round < 40; round += 1) {
      const bad = Buffer.from(good);
      const folder = join(path, `round-${round}`);
      mkdirSync(folder);
      for (let n = 0; n < 3; n += 1)
        bad.writeUInt8(Math.floor(random() * 256), Math.floor(random() * bad.length));
      writeFileSync(join(folder, 'bng.db'), bad);
      const store = await open(folder);
      const rows = await assertWholeRows(store);
      if (store.damage === null) {
        // A byte that means nothing (free space inside a page, a counter): every row must be there.
        assert.equal(rows, 400);
      } else {
        damaged += 1;
        assert.equal(rows, store.damage.rowsKept);
        assert.ok(store.damage.problem.length > 0);
        assert.deepEqual(readFileSync(store.damage.keptAt), bad);
        await written(store, [put('new', `0:${'x'.repeat(300)}`)]);
      }
      await store.close();
    }
    assert.ok(damaged > 20, `${damaged} of 40 changes mattered`);
  });

  it('that is no database at all gives an empty one, and says so', async (t) => {
    const path = temporaryFolder(t);
    writeFileSync(join(path, 'bng.db'), 'not a database, but long enough to look at'.repeat(50));
    const store = await open(path);
    assert.equal(store.damage?.rowsKept, 0);
    assert.deepEqual(await keys(store), []);
    await store.close();
  });

  it('whose write-ahead log is broken gives the commits before the break, and says that some are lost', async (t) => {
    const path = temporaryFolder(t);
    const store = await open(path);
    for (let n = 0; n < 20; n += 1) await written(store, [put(`k${n}`, `v${n}`)]);
    const crashed = join(path, 'crashed');
    mkdirSync(crashed);
    for (const name of ['bng.db', 'bng.db-wal']) copyFileSync(join(path, name), join(crashed, name));
    await store.close();
    const log = readFileSync(join(crashed, 'bng.db-wal'));
    log[Math.floor(log.length / 2)]! ^= 1;
    writeFileSync(join(crashed, 'bng.db-wal'), log);

    const after = await open(crashed);
    assert.match(after.damage?.problem ?? '', /write-ahead log from frame \d+ on/);
    const left = await keys(after);
    assert.ok(left.length > 0 && left.length < 20, `${left.length} rows are left`);
    assert.ok(
      left.every((key) => Number(key.slice(1)) < left.length),
      'only the latest are missing',
    );
    await after.close();
    const again = await open(crashed);
    assert.equal(again.damage, null);
    await again.close();
  });

  it('whose log ends in the middle of a commit, as a loss of power leaves it, is whole', async (t) => {
    const path = temporaryFolder(t);
    const store = await open(path);
    for (let n = 0; n < 20; n += 1) await written(store, [put(`k${n}`, `v${n}`)]);
    const crashed = join(path, 'crashed');
    mkdirSync(crashed);
    copyFileSync(join(path, 'bng.db'), join(crashed, 'bng.db'));
    writeFileSync(join(crashed, 'bng.db-wal'), readFileSync(join(path, 'bng.db-wal')).subarray(0, -100));
    await store.close();
    const after = await open(crashed);
    assert.equal(after.damage, null);
    assert.equal((await keys(after)).length, 19);
    await after.close();
  });

  it('finishes a replacement that a crash cut off', async (t) => {
    const path = await filled(t, 10);
    copyFileSync(join(path, 'bng.db'), join(path, 'bng.db.ready'));
    writeFileSync(join(path, 'bng.db'), 'damaged');
    const store = await open(path);
    assert.equal(store.damage, null);
    assert.equal(await assertWholeRows(store), 10);
    assert.ok(!existsSync(join(path, 'bng.db.ready')));
    await store.close();
    assert.ok(readdirSync(path).includes('bng.db'));
  });
});

const CHILD = new URL('../support/full-disk-child.js', import.meta.url).pathname;

describe('a full disk', () => {
  it('is a value, loses nothing that was accepted, and passes when there is room again', (t) => {
    const script = 'mount -t tmpfs -o size=2m tmpfs "$1" && exec "$2" "$3" "$1"';
    const folder = temporaryFolder(t);
    const run = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', folder, process.execPath, CHILD], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    if (run.status === 1 && /unshare|permitted|mount:/.test(run.stderr))
      return t.skip(`needs root: ${run.stderr}`);
    assert.equal(run.status, 0, run.stderr + run.stdout);
    assert.match(run.stdout, /full after \d+/);
    t.diagnostic(run.stdout.trim().replaceAll('\n', '; '));
  });
});
