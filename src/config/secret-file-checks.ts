/** Whether every file with a secret that a configuration names can be used, before anything is started. */
import { readFileSync } from 'node:fs';
import { BngError, isBngError } from '../model/bng-error.js';
import type { Config } from './config.js';
import { configProblem } from './problem.js';
import type { ConfigProblem, Path } from './problem.js';
import { readPrivateFile, readSecretFile } from './secret-file.js';
import { readYaml } from './yaml-source.js';

interface SecretFile {
  readonly path: Path;
  readonly file: string;
  readonly read: (file: string) => unknown;
}

/** What is wrong with them, with the lines of the configuration file at `configPath`. Reads no secret but to see that it can be read. */
export function secretFileProblems(configPath: string, config: Config): readonly ConfigProblem[] {
  const yaml = readYaml(readFileSync(configPath, 'utf8'));
  return secretFilesOf(config).flatMap(({ path, file, read }) => {
    try {
      read(file);
      return [];
    } catch (error) {
      if (!isBngError(error, 'BNG_ERR_CONFIG')) throw error;
      const expected = error.message.replace(/^expected /, '').replace(/ \[[^\]]*:.*$/, '');
      // A file that only a default names stands in no line of its own.
      const line = yaml.ok ? yaml.source.locate(path).line : null;
      return [configProblem(path, { line, expected, found: `${file}${modeOf(error.context)}` })];
    }
  });
}

function modeOf(context: Readonly<Record<string, unknown>>): string {
  return typeof context['mode'] === 'string' ? ` with mode ${context['mode']}` : '';
}

function tlsFilesOf(section: string, tls: Config['api']['tls']): readonly SecretFile[] {
  if (tls === null) return [];
  return [
    { path: [section, 'tls', 'certFile'], file: tls.certFile, read: readCertificate },
    { path: [section, 'tls', 'keyFile'], file: tls.keyFile, read: readPrivateFile },
  ];
}

function secretFilesOf({ api, portal, radius }: Config): readonly SecretFile[] {
  const secret = (path: Path, file: string): SecretFile => ({ path, file, read: readSecretFile });
  return [
    secret(['api', 'tokenFile'], api.tokenFile),
    ...tlsFilesOf('api', api.tls),
    ...tlsFilesOf('portal', portal.tls),
    ...(radius?.servers ?? []).map(({ secretFile }, at) =>
      secret(['radius', 'servers', at, 'secretFile'], secretFile),
    ),
    ...(radius?.coa?.clients ?? []).map(({ secretFile }, at) =>
      secret(['radius', 'coa', 'clients', at, 'secretFile'], secretFile),
    ),
  ];
}

function readCertificate(path: string): void {
  try {
    readFileSync(path);
  } catch (error) {
    throw new BngError('BNG_ERR_CONFIG', 'expected a readable certificate', { path }, error);
  }
}
