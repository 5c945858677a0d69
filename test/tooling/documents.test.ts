/** What documents promise of themselves: links lead somewhere, and commands that no test runs say why. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { commandBlocks, documents } from '../support/documented-commands.js';

const repository = join(import.meta.dirname, '..', '..', '..');

describe('documents', () => {
  for (const file of documents(repository)) {
    it(`${file}: links and pictures are there`, () => {
      const text = readFileSync(join(repository, file), 'utf8');
      const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
      const broken = links.filter(
        (target) => !/^[a-z]+:/.test(target) && !existsSync(join(repository, dirname(file), target)),
      );
      assert.deepEqual(broken, []);
    });

    it(`${file}: commands that are not run say why`, () => {
      const silent = commandBlocks(repository, file).filter(({ notRun }) => notRun?.trim() === '');
      assert.deepEqual(silent, []);
    });
  }

  it('hold commands that are run', () => {
    const run = documents(repository).flatMap((file) => commandBlocks(repository, file));
    assert.ok(run.filter(({ notRun }) => notRun === null).length > 8);
  });
});
