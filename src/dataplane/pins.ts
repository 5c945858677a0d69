/**
 * Where in bpffs the dataplane keeps what outlives the process, and what lies there: names and files only, no decision about
 * their content.
 *
 *   ROOT/v<ABI>/maps/<map>            the maps that programs of that ABI use; <map>~old until its counters are moved
 *   ROOT/v<ABI>/types/<map>           which BTF it was made with: a symbolic link to btf/<hash> (pinned-types.ts)
 *   ROOT/v<ABI>/btf/<hash>            an array that holds that BTF
 *   ROOT/v<ABI>/links/<program>-<port>   programs on their interfaces
 *   ROOT/undo/<number>                how to take back what was changed on this machine (undo-journal.ts)
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { BngError, errorText } from '../model/bng-error.js';

export const DEFAULT_PIN_PATH = '/sys/fs/bpf/bng';

const BPFFS_ROOT = '/sys/fs/bpf';
const BPFFS_MAGIC = 0xcafe4a11;
const VERSION = /^v([1-9][0-9]{0,9})$/;
/** bpffs refuses dots, which names of VLAN devices have. */
const DOT = '%2E';

/** What became of a map that another one has replaced, until it is done with. */
export const OLD_SUFFIX = '~old';

/** The pins of one ABI version. */
export class PinFolder {
  readonly path: string;
  readonly version: number;

  constructor(root: string, version: number) {
    this.version = version;
    this.path = join(root, `v${version}`);
  }

  make(): void {
    for (const part of ['maps', 'links', 'types', 'btf'])
      mkdirSync(join(this.path, part), { recursive: true });
  }

  mapPath(name: string): string {
    return join(this.path, 'maps', name);
  }

  /** Names of maps that are pinned, replaced ones among them. */
  maps(): readonly string[] {
    return list(join(this.path, 'maps'));
  }

  linkPath(program: string, port: string): string {
    return join(this.path, 'links', linkName(program, port));
  }

  links(): readonly string[] {
    return list(join(this.path, 'links'));
  }

  linkFile(name: string): string {
    return join(this.path, 'links', name);
  }

  typesPath(map: string): string {
    return join(this.path, 'types', map);
  }

  /** Names of maps whose types are recorded. */
  types(): readonly string[] {
    return list(join(this.path, 'types'));
  }

  btfPath(hash: string): string {
    return join(this.path, 'btf', hash);
  }

  btfs(): readonly string[] {
    return list(join(this.path, 'btf'));
  }

  /** Takes every pin away. What only they kept alive goes with them; a link then lets go of its interface. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** `<program>-<port>`, as pinned. */
export function linkName(program: string, port: string): string {
  return `${program}-${port.replaceAll('.', DOT)}`;
}

/** Every version that has a folder below `root`, oldest first. */
export function pinFolders(root: string): readonly PinFolder[] {
  return list(root)
    .flatMap((name) => VERSION.exec(name)?.[1] ?? [])
    .map((version) => new PinFolder(root, Number(version)))
    .sort((a, b) => a.version - b.version);
}

export function undoFolder(root: string): string {
  return join(root, 'undo');
}

/** Puts a pin in the place of another, whose object loses that name. */
export function movePin(from: string, to: string): void {
  renameSync(from, to);
}

export function removePin(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/** Makes `root` a folder in bpffs, which is mounted when it is missing. Throws `BNG_ERR_DATAPLANE`. */
export async function preparePinRoot(root: string, deadlineMs: number): Promise<void> {
  const inside = root === BPFFS_ROOT || root.startsWith(`${BPFFS_ROOT}/`);
  const mountPoint = inside ? BPFFS_ROOT : root;
  try {
    if (!inside) mkdirSync(root, { recursive: true });
    if (!isBpffs(nearestFolder(root)))
      await execa('mount', ['-t', 'bpf', 'bpf', mountPoint], { timeout: deadlineMs });
    mkdirSync(root, { recursive: true });
  } catch (error) {
    const found = errorText(error);
    throw new BngError(
      'BNG_ERR_DATAPLANE',
      `expected a place for pins in bpffs: ${found}`,
      { path: root },
      error,
    );
  }
}

function nearestFolder(path: string): string {
  for (let folder = path; ; folder = dirname(folder)) if (existsSync(folder)) return folder;
}

function isBpffs(path: string): boolean {
  return statfsSync(path).type === BPFFS_MAGIC;
}

function list(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
