/**
 * What can be observed from inside a network namespace with the programs that a customer would use. Every answer is
 * what happened, "nothing in time" included; nothing is asserted.
 */
import { z } from 'zod';
import type { ExecResult } from './exec.js';
import { exec, execOrThrow } from './exec.js';
import { patience } from './patience.js';

export interface InterfaceAddress {
  readonly address: string;
  readonly prefixLength: number;
}

/** `unreachable` is an ICMP error or no route; `timeout` is no answer at all. */
export type TcpOutcome = 'connected' | 'refused' | 'unreachable' | 'timeout';

export type HttpOutcome =
  | {
      readonly ok: true;
      readonly status: number;
      readonly body: string;
      /** Where a redirect leads; empty without one. */
      readonly redirect: string;
    }
  | { readonly ok: false; readonly reason: string };

export interface PingOutcome {
  readonly sent: number;
  readonly received: number;
}

export type TransferOutcome =
  | { readonly ok: true; readonly bytes: number; readonly seconds: number }
  /** `stalled`: the connection went dead; otherwise it ended in another way, its deadline included. */
  | { readonly ok: false; readonly bytes: number; readonly stalled: boolean; readonly reason: string };

const DEFAULT_TIMEOUT_MS = 2_000 * patience;
/** A transfer of which nothing moves for this long is over: its connection was cut. */
const STALL_SECONDS = 2 * patience;
/** How much longer than its own deadline a program may take to end. */
const GRACE_MS = 2_000 * patience;

const addressList = z.array(
  z.object({ addr_info: z.array(z.object({ family: z.string(), local: z.string(), prefixlen: z.int() })) }),
);

const uploadAnswer = z.object({ bytes: z.int() });

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function seconds(timeoutMs: number): string {
  return (timeoutMs / 1000).toFixed(3);
}

export class NamespaceProbe {
  readonly namespace: string;

  constructor(namespace: string) {
    this.namespace = namespace;
  }

  /** Runs any command inside. */
  run(command: readonly string[], timeoutMs = DEFAULT_TIMEOUT_MS, input?: string): Promise<ExecResult> {
    return exec(command, { namespace: this.namespace, timeoutMs, ...(input === undefined ? {} : { input }) });
  }

  /** The first IPv4 address of an interface; null when it has none. */
  async address(interfaceName = 'eth0'): Promise<InterfaceAddress | null> {
    const text = await execOrThrow(['ip', '-4', '-j', 'addr', 'show', 'dev', interfaceName], {
      namespace: this.namespace,
    });
    // `ip -j` prints nothing or an empty object for an interface without addresses of the family.
    const listed = addressList.safeParse(JSON.parse(text === '' ? '[]' : text));
    const info = listed.success
      ? listed.data[0]?.addr_info.find(({ family }) => family === 'inet')
      : undefined;
    return info === undefined ? null : { address: info.local, prefixLength: info.prefixlen };
  }

  async tcpConnect(address: string, port: number, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<TcpOutcome> {
    const result = await this.run(['bash', '-c', `exec 3<>/dev/tcp/${address}/${port}`], timeoutMs);
    if (result.exitCode === 0) return 'connected';
    if (result.timedOut) return 'timeout';
    return result.stderr.includes('refused') ? 'refused' : 'unreachable';
  }

  async httpGet(url: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<HttpOutcome> {
    const format = '\n%{http_code} %{redirect_url}';
    const result = await this.#curl(['-w', format, url], timeoutMs);
    if (result.exitCode !== 0) return { ok: false, reason: result.stderr || 'no answer in time' };
    const lastLine = result.stdout.lastIndexOf('\n');
    const [status = '', redirect = ''] = result.stdout.slice(lastLine + 1).split(' ');
    return {
      ok: true,
      status: Number(status),
      body: result.stdout.slice(0, Math.max(lastLine, 0)),
      redirect,
    };
  }

  async ping(
    address: string,
    options: { count?: number; timeoutMs?: number; size?: number } = {},
  ): Promise<PingOutcome> {
    const { count = 1, timeoutMs = DEFAULT_TIMEOUT_MS, size = 56 } = options;
    const args = ['-n', '-c', `${count}`, '-i', '0.2', '-W', seconds(timeoutMs), '-s', `${size}`, address];
    const result = await this.run(['ping', ...args], timeoutMs + count * 200 + GRACE_MS);
    const found = /([0-9]+) packets transmitted, ([0-9]+) received/.exec(result.stdout);
    return { sent: Number(found?.[1] ?? 0), received: Number(found?.[2] ?? 0) };
  }

  /** Asks `server` for the A record of `name`; null without an answer. */
  async dnsQuery(name: string, server: string, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<string | null> {
    const result = await this.run(['busybox', 'nslookup', '-type=a', name, server], timeoutMs);
    const [, answer = ''] = result.stdout.split(/^Name:/m);
    return /^Address(?: 1)?:\s*([0-9.]+)/m.exec(answer)?.[1] ?? null;
  }

  /** Reads `url` to its end and forgets it. The deadline is of a machine of its own (patience multiplies it). */
  async download(url: string, timeoutMs: number): Promise<TransferOutcome> {
    const result = await this.#curl(
      ['-y', `${STALL_SECONDS}`, '-Y', '1', '-o', '/dev/null', '-w', '%{size_download} %{time_total}', url],
      timeoutMs * patience,
    );
    return transferOutcome(result);
  }

  /** Posts `bytes` zeros to one of the lab's web servers; gives how many it says that it got. Its deadline is as that of `download`. */
  async upload(url: string, bytes: number, timeoutMs: number): Promise<TransferOutcome> {
    const curl = 'curl -sS --noproxy "*" -m "$2" -y "$4" -Y 1 -X POST -T - -w "\\n%{time_total}" "$3"';
    const args = [
      'sh',
      '-c',
      `head -c "$1" /dev/zero | ${curl}`,
      'upload',
      `${bytes}`,
      seconds(timeoutMs * patience),
      url,
      `${STALL_SECONDS}`,
    ];
    const result = await this.run(args, timeoutMs * patience + GRACE_MS);
    const [body = '', took = ''] = result.stdout.split('\n');
    if (result.exitCode !== 0) return failedTransfer(0, result.stderr);
    const counted = uploadAnswer.safeParse(jsonOrNull(body));
    if (!counted.success) return failedTransfer(0, `expected a count, found ${body.slice(0, 200)}`);
    return { ok: true, bytes: counted.data.bytes, seconds: Number(took) };
  }

  #curl(args: readonly string[], timeoutMs: number): Promise<ExecResult> {
    return this.run(
      ['curl', '-sS', '--noproxy', '*', '-m', seconds(timeoutMs), ...args],
      timeoutMs + GRACE_MS,
    );
  }
}

function transferOutcome(result: ExecResult): TransferOutcome {
  const [bytes, took] = result.stdout.split(' ').map(Number);
  if (result.exitCode === 0) return { ok: true, bytes: bytes ?? 0, seconds: took ?? 0 };
  return failedTransfer(bytes ?? 0, result.stderr);
}

function failedTransfer(bytes: number, stderr: string): TransferOutcome {
  const reason = stderr || 'no end in time';
  // curl's words for what -y and -Y ended.
  return { ok: false, bytes, stalled: reason.includes('too slow'), reason };
}
