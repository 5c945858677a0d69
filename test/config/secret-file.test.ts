import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readSecretFile } from '../../src/config/secret-file.js';
import { isBngError } from '../../src/model/bng-error.js';

describe('a secret file', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'bng-secret-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const write = (content: string, mode: number): string => {
    const path = join(folder, 'secret');
    rmSync(path, { force: true });
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  const refuses = (path: string, text: RegExp): void => {
    assert.throws(
      () => readSecretFile(path),
      (error) =>
        isBngError(error, 'BNG_ERR_CONFIG') && text.test(error.message) && !/hunter2/.test(error.message),
    );
  };

  it('gives its one line without the line end', () => {
    assert.equal(readSecretFile(write('hunter2\n', 0o600)), 'hunter2');
    assert.equal(readSecretFile(write('hunter2\r\n', 0o400)), 'hunter2');
    assert.equal(readSecretFile(write(' hunter2 ', 0o600)), ' hunter2 ');
  });

  it('is refused when group or others may read or write it', () => {
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644, 0o666]) {
      refuses(write('hunter2', mode), new RegExp(`only its owner can read.*\\[mode:0${mode.toString(8)}\\]`));
    }
  });

  it('is refused when it is empty or has more than one line', () => {
    for (const content of ['', '\n', 'hunter2\nhunter2\n'])
      refuses(write(content, 0o600), /one line of text/);
  });

  it('is refused when it is missing, a folder or a named pipe', () => {
    refuses(join(folder, 'none'), /expected a readable secret file/);
    mkdirSync(join(folder, 'folder'), { mode: 0o700 });
    refuses(join(folder, 'folder'), /regular file/);
    execFileSync('mkfifo', ['-m', '600', join(folder, 'pipe')]);
    refuses(join(folder, 'pipe'), /regular file/);
  });
});
