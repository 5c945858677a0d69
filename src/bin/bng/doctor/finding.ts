/** What `bng doctor` finds, in one form for people and programs. Looks at nothing itself. */
import { execa } from 'execa';

/** What to type where the kernel is too old. */
export const NEWER_KERNEL = 'apt install linux-image-amd64 && reboot';

/** `warning`: it works, but less well, or the BNG puts it right when it starts. */
export type FindingStatus = 'ok' | 'warning' | 'failed';

/** Stable names: whoever watches `--json` may rely on them. */
export type CheckName =
  | 'kernel'
  | 'kernel-config'
  | 'jit'
  | 'btf'
  | 'capabilities'
  | 'bpffs'
  | 'tools'
  | 'interface'
  | 'driver'
  | 'offloads'
  | 'queues'
  | 'mtu'
  | 'route'
  | 'neighbour'
  | 'clock'
  | 'radius'
  | 'store'
  | 'secrets'
  | 'service';

export interface Finding {
  readonly check: CheckName;
  /** Which of several: an interface, a server, a file. Null where there is one. */
  readonly about: string | null;
  readonly status: FindingStatus;
  readonly found: string;
  /** What to type. Null where all is well. */
  readonly remedy: string | null;
}

type Subject = readonly [check: CheckName, about?: string];

export function ok([check, about]: Subject, found: string): Finding {
  return { check, about: about ?? null, status: 'ok', found, remedy: null };
}

export function warning([check, about]: Subject, found: string, remedy: string): Finding {
  return { check, about: about ?? null, status: 'warning', found, remedy };
}

export function failed([check, about]: Subject, found: string, remedy: string): Finding {
  return { check, about: about ?? null, status: 'failed', found, remedy };
}

const COMMAND_DEADLINE_MS = 5_000;

/** What a command prints; null when it fails, is not there or takes too long. */
export async function outputOf(command: readonly [string, ...string[]]): Promise<string | null> {
  const [file, ...args] = command;
  const result = await execa(file, args, { timeout: COMMAND_DEADLINE_MS, reject: false });
  return result.failed ? null : result.stdout;
}

/** The same for `ip -j`, which prints nothing at all where it has nothing to list. */
export async function ipList(args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await outputOf(['ip', '-j', ...args]);
  const parsed: unknown = text === null || text.trim() === '' ? [] : JSON.parse(text);
  return Array.isArray(parsed) ? (parsed as readonly Readonly<Record<string, unknown>>[]) : [];
}
