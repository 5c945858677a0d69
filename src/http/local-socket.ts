/** The API on a unix socket that only its owner can reach: made whole before it has its name, gone with the API. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { BngError } from '../model/bng-error.js';

const ANSWER_DEADLINE_MS = 1_000;

/**
 * Listens at `path` with mode 0600; a socket that nobody listens on any more is replaced. Resolves with what closes the app
 * and removes the socket. Throws `BNG_ERR_CONFIG` when somebody else listens there or something else stands there.
 */
export async function listenLocally(app: FastifyInstance, path: string): Promise<() => Promise<void>> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  if (await isTaken(path)) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a socket path where nobody listens', { path });
  }
  // Nobody but its owner ever reaches it, not even between bind and chmod: the folder is closed to all others.
  const folder = mkdtempSync(join(dirname(path), '.new-'));
  let inode: number;
  try {
    const born = join(folder, 's');
    await app.listen({ path: born });
    chmodSync(born, 0o600);
    inode = statSync(born).ino;
    renameSync(born, path);
  } finally {
    rmSync(folder, { recursive: true });
  }
  return async () => {
    await app.close();
    // Another BNG may have taken the name since.
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === inode) unlinkSync(path);
  };
}

async function isTaken(path: string): Promise<boolean> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (!stat.isSocket()) return true;
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.setTimeout(ANSWER_DEADLINE_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}
