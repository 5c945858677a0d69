/** The smallest configuration that is right, how the tests change one thing of it, and what is expected in many places. */

export const MINIMAL = `access: { interface: access0 }
core: { interface: core0 }
pools:
  - { name: wgar, network: 10.255.0.0/16, gateway: 10.255.0.1 }
  - { name: isp, network: 10.0.0.0/12, gateway: 10.0.0.1 }
auth: { mode: local, defaultPool: wgar }
walledGarden: { pool: wgar }
`;

/** MINIMAL with the line that starts with `start` replaced by `line`. */
export function withLine(start: string, line: string): string {
  const lines = MINIMAL.split('\n');
  const at = lines.findIndex((text) => text.startsWith(start));
  if (at < 0) throw new Error(`MINIMAL has no line ${start}`);
  return lines.with(at, line).join('\n');
}

/** MINIMAL with another entry in the place of the pool `isp`. */
export const isp = (entries: string): string => withLine('  - { name: isp', `  - { ${entries} }`);

/** MINIMAL and a line more. */
export const also = (line: string): string => MINIMAL + line;

/** What an entry of the pool `isp` needs beside its name. */
export const NET = 'network: 10.0.0.0/12, gateway: 10.0.0.1';
export const DURATION = 'a duration such as 600s, 10m, 24h or 7d';
export const ADDRESS = 'an IPv4 address such as 192.0.2.1';
export const ENDPOINT = 'ip:port such as 127.0.0.1:8080';
