/** `bng doctor`: is this machine fit for the configuration, and what to type where it is not. Changes nothing. */
import { configOrProblems } from './check.js';
import { loadConfig } from '../../config/load-config.js';
import type { Finding } from './doctor/finding.js';
import { machineFindings } from './doctor/machine-checks.js';
import { portFindings } from './doctor/port-checks.js';
import { isServing, surroundingsFindings } from './doctor/surroundings-checks.js';

export interface DoctorOptions {
  readonly json: boolean;
}

/** Returns the exit status: 0 when nothing has failed (there may be warnings), 1 otherwise, 2 for a bad configuration. */
export async function doctor(configPath: string, { json }: DoctorOptions): Promise<number> {
  const result = loadConfig(configPath);
  if (!result.ok) {
    configOrProblems(configPath);
    return 2;
  }
  const { config } = result;
  const isRunning = await isServing(config.api.socket);
  const findings = (
    await Promise.all([
      machineFindings(config.dataplane.pinPath),
      portFindings(config, isRunning),
      surroundingsFindings(configPath, config, isRunning),
    ])
  ).flat();
  const isFit = findings.every(({ status }) => status !== 'failed');
  process.stdout.write(json ? `${JSON.stringify({ ok: isFit, findings }, null, 2)}\n` : textOf(findings));
  return isFit ? 0 : 1;
}

function textOf(findings: readonly Finding[]): string {
  const names = findings.map(({ check, about }) => (about === null ? check : `${check} ${about}`));
  const width = Math.max(...names.map((name) => name.length));
  const lines = findings.map(({ status, found, remedy }, at) => {
    const line = `${status.padEnd(7)}  ${(names[at] ?? '').padEnd(width)}  ${found}\n`;
    return remedy === null ? line : `${line}${' '.repeat(9)}-> ${remedy}\n`;
  });
  const count = (status: Finding['status']): number => findings.filter((one) => one.status === status).length;
  return `${lines.join('')}\n${count('ok')} ok, ${count('warning')} to look at, ${count('failed')} failed\n`;
}
