// Completes package-lock.json after `npm install` against a registry that does not carry every platform's packages (binaries
// of biome and of eslint's resolver): `npm ci` refuses a lock that lacks them, although it never fetches what is for another
// system. Such entries have no checksum, so none is made for the systems this project runs on (glibc on x64 and arm64).
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));

for (const [path, holder] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(holder.optionalDependencies ?? {})) {
    const entry = `node_modules/${name}`;
    if (lock.packages[entry] !== undefined) continue;
    const platform = /(android|darwin|freebsd|openharmony|win32|linux)-([a-z0-9]+)(-[a-z]+)?$/.exec(name);
    if (platform === null)
      throw new Error(`expected a platform in the name of ${name}, which ${path} may use`);
    const [, os, cpu, abi = ''] = platform;
    const musl = abi.startsWith('-musl');
    if (os === 'linux' && ['x64', 'arm64'].includes(cpu) && !musl)
      throw new Error(`the registry has no ${name}@${version}`);
    lock.packages[entry] = {
      version,
      cpu: [cpu],
      dev: holder.dev,
      libc: musl ? ['musl'] : undefined,
      optional: true,
      os: [os],
    };
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`);
