/** Which names garden members may reach: matching only, no packets and no addresses. */

/** `name` in lower case, without a dot at its end. */
export interface AllowedName {
  readonly name: string;
  /** Everything below the name too, and then not the name itself: `*.example.org`. */
  readonly below: boolean;
  /** TCP and UDP to this port; null is every port and protocol. */
  readonly port: number | null;
}

/** Longest name that DNS has, as text (RFC 1035 §2.3.4). */
const LONGEST_NAME = 253;

/** A name as it is compared: DNS knows no upper case (RFC 4343). Null for what cannot be a host's. */
export function hostName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, '');
  const label = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?';
  return name.length <= LONGEST_NAME && new RegExp(`^${label}(\\.${label})*$`).test(name) ? name : null;
}

/** The ports that a name is allowed on, null among them for all; empty when it is not allowed. */
export function portsOf(allowed: readonly AllowedName[], name: string): readonly (number | null)[] {
  const ports = allowed.flatMap((one) =>
    (one.below ? name.endsWith(`.${one.name}`) : name === one.name) ? [one.port] : [],
  );
  return ports.includes(null) ? [null] : [...new Set(ports)];
}
