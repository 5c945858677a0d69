/** bngctl's text: rates, tables that fit, bars, colours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatRate, parseRate } from '../../src/bin/bngctl/rate.js';
import { table } from '../../src/bin/bngctl/table.js';
import type { Terminal } from '../../src/bin/bngctl/terminal.js';
import { utilizationBar } from '../../src/bin/bngctl/views.js';

function terminal(width: number | null, colour = false): Terminal {
  return { out: () => undefined, err: () => undefined, width, colour, isScreen: false };
}

test('rates are decimal multiples of bit/s; anything else is refused', () => {
  for (const [text, rate] of [
    ['0', 0],
    ['64000', 64_000],
    ['100k', 100_000],
    ['100M', 100_000_000],
    ['1.5G', 1_500_000_000],
    ['1T', 1e12],
    ['10Mbps', 10_000_000],
    ['10Mbit/s', 10_000_000],
  ] as const) {
    assert.equal(parseRate(text), rate, text);
  }
  for (const text of ['', 'M', '-1', '1e6', '10 M', '1X', '0x10', '1.', '.5', 'Infinity', '99999999T']) {
    assert.equal(parseRate(text), null, text);
  }
});

test('rates and amounts are shown with three figures at most', () => {
  assert.deepEqual([0, 999, 1000, 20_500_000, 999_500_000, 1e12].map(formatRate), [
    'unlimited',
    '999',
    '1k',
    '20.5M',
    '1G',
    '1T',
  ]);
  assert.equal(formatRate(null), '-');
  assert.equal(formatBytes('18446744073709551615'), '18.4EB');
});

test('a table that is too wide for the terminal gives way in its widest column', () => {
  const columns = [
    { title: 'A', text: (row: { a: string; b: string }) => row.a },
    { title: 'LONG', text: (row: { a: string; b: string }) => row.b, right: true },
  ];
  const rows = [{ a: 'x', b: 'abcdefghijklmnopqrstuvwxyz' }];
  assert.deepEqual(table(terminal(13), columns, rows), ['A        LONG', 'x  abcdefghi…']);
  assert.deepEqual(table(terminal(null), columns, rows)[1], 'x  abcdefghijklmnopqrstuvwxyz');
});

test('a terminal too narrow for all columns keeps the first ones readable, and nothing is wider than it', () => {
  const columns = ['first', 'second', 'third'].map((title) => ({
    title,
    text: (row: string) => row + title,
  }));
  const lines = table(terminal(20), columns, ['0123456789']);
  assert.deepEqual(lines, ['first      second', '01234567…  01234567…']);
});

test('colours come only on a terminal and do not move columns', () => {
  const columns = [
    { title: 'S', text: (text: string) => text, style: () => 'green' as const },
    { title: 'T', text: () => 't' },
  ];
  const plain = table(terminal(80), columns, ['on', 'off']);
  const coloured = table(terminal(80, true), columns, ['on', 'off']);
  assert.notDeepEqual(coloured, plain);
  assert.deepEqual(
    coloured.map((line) => line.replace(/\u001b\[[0-9]+m/g, '')).map((line) => line.trimEnd()),
    plain,
  );
});

test('a bar shows any use at all, and is full only when the pool is', () => {
  assert.equal(utilizationBar(0), '░'.repeat(20));
  assert.equal(utilizationBar(0.0001), `█${'░'.repeat(19)}`);
  assert.equal(utilizationBar(0.9999), `${'█'.repeat(19)}░`);
  assert.equal(utilizationBar(1), '█'.repeat(20));
});
