/** `bng demo --radius` as its user meets it: the story comes true in FreeRADIUS's own books, or one line says what is missing. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { exec } from '../../src/lab/exec.js';
import { removeLab } from '../../src/lab/lab-removal.js';
import { labProgram } from '../../src/lab/lab-paths.js';
import { hasFreeRadius } from '../../src/lab/radius-server.js';
import { patience } from '../../src/lab/patience.js';

const PREFIX = 'rld';
const DEMO = [
  process.execPath,
  labProgram('../bin/bng.js'),
  'demo',
  '--radius',
  '--json',
  '--prefix',
  PREFIX,
];
const lineSchema = z.looseObject({ chapter: z.string(), text: z.string(), came: z.boolean().optional() });

describe('bng demo --radius', { timeout: 120_000 }, () => {
  after(() => removeLab(PREFIX));

  it('tells the story against FreeRADIUS, whose own books agree with the clients', {
    skip: !hasFreeRadius,
  }, async (t) => {
    const story = [...DEMO, '--duration', '15', '--subscribers', '3'];
    const { exitCode, stdout, stderr } = await exec(story, { timeoutMs: 90_000 * patience });
    assert.deepEqual([exitCode, stderr], [0, ''], stdout);
    const told = stdout.split('\n').map((line) => lineSchema.parse(JSON.parse(line)));
    const books = told.filter(({ chapter }) => chapter === 'RADIUS');
    // Starts, octets and Class of each of three, and the Access-Requests.
    assert.deepEqual(
      books.map(({ came }) => came),
      Array.from({ length: 10 }, () => true),
      stdout,
    );
    assert.deepEqual(
      books.flatMap(({ starts }) => (starts === undefined ? [] : [starts])),
      [3, 2, 1],
    );
    assert.ok(books.some(({ loggedDown }) => Number(loggedDown) > 4_000_000));
    t.diagnostic(told.at(-1)?.text ?? '');
  });

  it('without FreeRADIUS it says so in one line and ends with 1', async () => {
    // A mount namespace in which nothing is in /usr/sbin.
    const hidden = [
      'unshare',
      '-m',
      'sh',
      '-c',
      'mount -t tmpfs none /usr/sbin && exec "$@"',
      'demo',
      ...DEMO,
    ];
    const { exitCode, stdout, stderr } = await exec(hidden);
    assert.deepEqual([exitCode, stdout], [1, '']);
    assert.match(stderr, /^--radius needs FreeRADIUS[^\n]*make deps[^\n]*$/);
  });
});
