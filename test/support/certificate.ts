/** A certificate of a test's own, made by openssl. */
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** `names` as openssl has them: `IP:127.0.0.1`, `DNS:portal.example`. The key is readable by its owner only. */
export function makeCertificate(folder: string, names: readonly string[]): CertificateFiles {
  const [keyFile, certFile] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${names.join(',')}`, '-days', '2'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  const files = ['-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', '-x509', '-nodes', ...kind, ...subject, ...files], { stdio: 'ignore' });
  chmodSync(keyFile, 0o600);
  return { certFile, keyFile };
}
