/** Builds the inlet for the AAA server's orders from the configuration. No domain rules. */
import type { Logger } from 'pino';
import type { CoaClient } from './aaa/coa-server.js';
import { CoaServer } from './aaa/coa-server.js';
import type { AuthorizationInlet } from './aaa/port.js';
import type { RadiusJournal } from './aaa/radius-journal.js';
import type { RadiusNas } from './aaa/radius-nas-attributes.js';
import { coaAudit, coaLine } from './coa-audit.js';
import type { CoaConfig, Config } from './config/config.js';
import { logEvent } from './log-events.js';
import type { Audit } from './model/audit.js';
import { systemClock } from './model/system-clock.js';
import type { SecretOf } from './radius-servers.js';
import { readSecret } from './radius-servers.js';

/** Opens the inlet for the AAA server's orders; null when none is configured. */
export async function openCoa(
  config: Config,
  options: {
    nas: RadiusNas;
    inlet: AuthorizationInlet;
    logger: Logger;
    audit: Audit;
    journal: RadiusJournal | null;
    onBug: (error: unknown) => void;
  },
): Promise<CoaServer | null> {
  const { radius } = config;
  const coa = radius?.coa ?? null;
  if (radius === null || coa === null) return null;
  const { nas, inlet, logger, audit, journal, onBug } = options;
  return CoaServer.listen({
    ...coa,
    inlet,
    clients: coaClientsOf(coa),
    nasIdentifier: nas.identifier,
    nasIpAddress: nas.address,
    filters: new Map(Object.entries(radius.filters)),
    clock: systemClock,
    ...(journal === null ? {} : { journal }),
    onAnswered: (report) => {
      logEvent(logger, 'coa-answered', coaLine(report));
      audit(coaAudit(report));
    },
    onBug,
  });
}

/** Who may order, as the inlet is told of them. */
export function coaClientsOf(coa: CoaConfig, secretOf: SecretOf = readSecret): CoaClient[] {
  return coa.clients.map(({ secretFile, ...client }) => ({ ...client, secret: secretOf(secretFile) }));
}
