/** RADIUS servers of the configuration as a client of ours is told of them, with their secrets read. */
import type { RadiusServer } from './aaa/radius-settings.js';
import type { RadiusConfig } from './config/config.js';
import { readSecretFile } from './config/secret-file.js';
import { RadiusSecret } from './wire/radius-secret.js';

/** What stands in a secret's file; throws `BNG_ERR_CONFIG`. */
export type SecretOf = (secretFile: string) => RadiusSecret;

export const readSecret: SecretOf = (secretFile) => new RadiusSecret(readSecretFile(secretFile));

/** The servers as a client for `role` is told of them. */
export function serversOf(
  radius: RadiusConfig,
  role: 'auth' | 'acct',
  secretOf: SecretOf = readSecret,
): RadiusServer[] {
  return radius.servers.map((server) => {
    const port = role === 'auth' ? server.authPort : server.acctPort;
    return {
      name: `${server.host}:${port}`,
      host: server.host,
      port,
      secret: secretOf(server.secretFile),
      requireMessageAuthenticator: server.requireMessageAuthenticator,
    };
  });
}
