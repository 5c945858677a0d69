/**
 * Three real DHCP clients behind one face, each with a script and files of its own, so that nothing of the machine
 * (resolv.conf, other leases, other clients) is touched. Knows no lab.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './exec.js';
import { EMIT_FUNCTION } from './lease-log.js';
import { patience } from './patience.js';

export type DhcpClientKind = 'udhcpc' | 'dhclient' | 'dhcpcd';

export interface DhcpClientOptions {
  readonly kind: DhcpClientKind;
  readonly namespace: string;
  /** For the client's files; made when missing. */
  readonly directory: string;
  readonly leaseLog: string;
}

/** Sets address and default route: `configure ADDRESS LENGTH ROUTER`. `onlink`, as the prefix may not hold the router. */
const CONFIGURE_FUNCTION = `configure() {
  case " $(ip -4 -o addr show dev eth0) " in *" $1/$2 "*) ;; *) ip -4 addr flush dev eth0; ip addr add "$1/$2" dev eth0 ;; esac
  [ -z "$3" ] || ip route replace default via "\${3%% *}" dev eth0 onlink
}`;

const SCRIPTS: Readonly<Record<DhcpClientKind, string>> = {
  udhcpc: `case $1 in
deconfig) ip -4 addr flush dev eth0; emit lost '' 0 '' '' 0 '' ;;
nak) emit nak '' 0 '' '' 0 "$serverid" ;;
bound|renew)
  configure "$ip" "$mask" "$router"
  [ "$1" = bound ] && event=bound || event=renewed
  emit $event "$ip" "$mask" "$router" "$dns" "$lease" "$serverid" ;;
esac`,
  dhclient: `length() {
  n=0; for octet in $(echo "$1" | tr . ' '); do
    while [ $octet -gt 0 ]; do n=$((n + octet % 2)); octet=$((octet / 2)); done
  done; echo $n
}
case $reason in
PREINIT) ip link set eth0 up ;;
BOUND|REBOOT|RENEW|REBIND)
  mask=$(length "$new_subnet_mask")
  configure "$new_ip_address" "$mask" "$new_routers"
  case $reason in RENEW|REBIND) event=renewed ;; *) event=bound ;; esac
  emit $event "$new_ip_address" "$mask" "\${new_routers%% *}" "$new_domain_name_servers" "$new_dhcp_lease_time" "$new_dhcp_server_identifier" ;;
EXPIRE|FAIL|RELEASE|STOP) ip -4 addr flush dev eth0; emit lost '' 0 '' '' 0 '' ;;
TIMEOUT) exit 1 ;;
esac
exit 0`,
  dhcpcd: `case $reason in
BOUND|REBOOT|RENEW|REBIND)
  case $reason in RENEW|REBIND) event=renewed ;; *) event=bound ;; esac
  emit $event "$new_ip_address" "$new_subnet_cidr" "\${new_routers%% *}" "$new_domain_name_servers" "$new_dhcp_lease_time" "$new_dhcp_server_identifier" ;;
NAK) emit nak '' 0 '' '' 0 "$new_dhcp_server_identifier" ;;
EXPIRE|RELEASE|STOP|STOPPED|FAIL) emit lost '' 0 '' '' 0 '' ;;
esac
exit 0`,
};

const DHCLIENT_CONF = `timeout 8;
retry 1;
initial-interval 1;
backoff-cutoff 2;
reboot 4;
select-timeout 0;
request subnet-mask, broadcast-address, routers, domain-name-servers, dhcp-lease-time, dhcp-server-identifier;
`;

const DHCPCD_CONF = `ipv4only
noipv6rs
noipv4ll
option domain_name_servers, routers, subnet_mask
require dhcp_server_identifier
reboot 4
`;

/** How long dhcpcd may take over its goodbye. */
const RELEASE_MS = 3_000 * patience;

/** Process ids of a process's children; none when it is gone. */
function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

export class DhcpClient {
  readonly #options: DhcpClientOptions;
  #child: Child | null = null;

  constructor(options: DhcpClientOptions) {
    this.#options = options;
  }

  get kind(): DhcpClientKind {
    return this.#options.kind;
  }

  /** Process id; undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.isRunning === true ? this.#child.pid : undefined;
  }

  start(): void {
    const { directory, kind, leaseLog } = this.#options;
    mkdirSync(directory, { recursive: true });
    const script = [
      '#!/bin/sh',
      `LEASE_LOG='${leaseLog}'`,
      EMIT_FUNCTION,
      CONFIGURE_FUNCTION,
      SCRIPTS[kind],
      '',
    ];
    writeFileSync(this.#file('script'), script.join('\n'));
    chmodSync(this.#file('script'), 0o755);
    writeFileSync(this.#file('dhclient.conf'), DHCLIENT_CONF);
    writeFileSync(this.#file('dhcpcd.conf'), DHCPCD_CONF);
    this.#spawn(this.#command());
  }

  /** The link came back: asks again as equipment in the field does. */
  async linkReturned(): Promise<void> {
    switch (this.#options.kind) {
      case 'udhcpc':
        // Renews at once; a NAK makes it start over.
        this.#child?.kill('SIGUSR1');
        return;
      case 'dhclient':
        // Comes back with its lease file, so it begins in INIT-REBOOT.
        await this.#child?.stop('SIGKILL');
        this.#spawn(this.#command());
        return;
      case 'dhcpcd':
        // Watches the carrier itself.
        return;
    }
  }

  /** Sends a DHCPRELEASE and stays without an address. */
  async release(): Promise<void> {
    switch (this.#options.kind) {
      case 'udhcpc':
        this.#child?.kill('SIGUSR2');
        return;
      case 'dhclient': {
        await this.#child?.stop('SIGKILL');
        const releasing = this.#spawn(['dhclient', '-4', '-r', '-d', ...this.#dhclientFiles(), 'eth0']);
        await releasing.ended;
        return;
      }
      case 'dhcpcd':
        await this.#releaseDhcpcd();
        return;
    }
  }

  /** Below `unshare` is the shell of its pid namespace, and below that dhcpcd, which ends with its DHCPRELEASE. */
  async #releaseDhcpcd(): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || !child.isRunning) return;
    const dhcpcd = childrenOf(child.pid).flatMap(childrenOf)[0];
    if (dhcpcd !== undefined) process.kill(dhcpcd, 'SIGALRM');
    await Promise.race([child.ended, new Promise((resolve) => setTimeout(resolve, RELEASE_MS).unref())]);
    await child.stop('SIGKILL');
  }

  /** Ends the client without a DHCPRELEASE, as when the power fails. */
  async stop(): Promise<void> {
    await this.#child?.stop('SIGKILL');
    this.#child = null;
  }

  #spawn(command: readonly string[]): Child {
    this.#child = new Child(command, { namespace: this.#options.namespace, logFile: this.#file('log') });
    return this.#child;
  }

  #file(name: string): string {
    return join(this.#options.directory, name);
  }

  #dhclientFiles(): string[] {
    return [
      '-cf',
      this.#file('dhclient.conf'),
      '-sf',
      this.#file('script'),
      '-lf',
      this.#file('leases'),
    ].concat(['-pf', this.#file('pid')]);
  }

  #command(): string[] {
    const script = this.#file('script');
    switch (this.#options.kind) {
      case 'udhcpc':
        return ['udhcpc', '-f', '-i', 'eth0', '-s', script, '-p', this.#file('pid')].concat([
          '-t',
          '4',
          '-T',
          '1',
          '-A',
          '1',
        ]);
      case 'dhclient':
        return ['dhclient', '-4', '-d', ...this.#dhclientFiles(), 'eth0'];
      case 'dhcpcd': {
        // Its pid file, control socket and lease have fixed paths: a mount namespace gives each client its own. It gives
        // up root, and with that the kernel forgets that it must die with its parent: it does as a member of a pid
        // namespace, whose first process keeps root.
        const state = this.#file('state');
        mkdirSync(state, { recursive: true });
        const mounts = `mkdir -p /run/dhcpcd /var/lib/dhcpcd && mount -t tmpfs none /run/dhcpcd && mount --bind '${state}' /var/lib/dhcpcd`;
        const dhcpcd = `dhcpcd -4 -B -f '${this.#file('dhcpcd.conf')}' -c '${script}' eth0 & wait`;
        return [
          'unshare',
          '--mount',
          '--pid',
          '--fork',
          '--kill-child',
          'sh',
          '-euc',
          `${mounts}; ${dhcpcd}`,
        ];
      }
    }
  }
}
