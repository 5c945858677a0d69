/** The smallest configuration that is right, and how the tests change one thing of it. */

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
