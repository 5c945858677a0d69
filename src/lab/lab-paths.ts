/** Where a lab keeps what is not in a namespace, and where its programs are. Names only. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BngError } from '../model/bng-error.js';

export const LAB_ROOT = '/run/bng-lab';

/** Whether labs may bear the prefix. No dash: namespaces are `prefix-role`, and one prefix must not hold another's. */
export function isLabPrefix(text: string): boolean {
  return /^[a-z][a-z0-9]{0,5}$/.test(text);
}

/** Names of everything that a lab with this prefix has. `BNG_ERR_VALUE` for a prefix that does not fit. */
export class LabPaths {
  readonly prefix: string;
  /** Sockets, leases, logs; removed with the lab. */
  readonly directory: string;
  readonly ownerFile: string;
  readonly oltSocket: string;
  /** Of the BNG's API, for root. */
  readonly apiSocket: string;
  /** For pins of the BNG that runs in the lab; removed with the lab, made by who needs it. */
  readonly bpffsDirectory: string;

  constructor(prefix: string) {
    if (!isLabPrefix(prefix)) {
      throw new BngError('BNG_ERR_VALUE', 'expected a lab prefix of 1 to 6 lower-case letters and digits', {
        found: prefix,
      });
    }
    this.prefix = prefix;
    this.directory = join(LAB_ROOT, prefix);
    this.ownerFile = join(LAB_ROOT, `${prefix}.json`);
    this.oltSocket = join(this.directory, 'olt.sock');
    this.apiSocket = join(this.directory, 'bng.sock');
    this.bpffsDirectory = `/sys/fs/bpf/${prefix}-lab`;
  }

  namespace(role: string): string {
    return `${this.prefix}-${role}`;
  }

  logFile(name: string): string {
    return join(this.directory, `${name}.log`);
  }
}

/** A compiled program of the lab, beside this file. */
export function labProgram(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** `build/bpf/olt.bpf.o` of the project that this file belongs to; `BNG_ERR_LAB` when it was not built. */
export function oltObjectPath(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'build', 'bpf', 'olt.bpf.o');
    if (existsSync(path)) return path;
  }
  throw new BngError('BNG_ERR_LAB', 'expected build/bpf/olt.bpf.o: run scripts/build-bpf.sh', { start });
}
