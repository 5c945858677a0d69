/** Who may speak to the API: the bearer token, or without one only requests that no foreign web page can make. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { sendProblem } from './problem.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token: probes only. */
    open?: boolean;
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Host names under which a page of another site cannot reach us by DNS rebinding: addresses and `localhost`. */
function isAddressLiteral(hostHeader: string): boolean {
  const host = hostHeader.replace(/:[0-9]{1,5}$/, '').replace(/^\[(.*)\]$/, '$1');
  return host.toLowerCase() === 'localhost' || isIP(host) !== 0;
}

/** Adds the check to every route of `app`, unknown ones included; routes with `config.open` are left out. */
export function addAdmission(app: FastifyInstance, token: string | null): void {
  const wanted = token === null ? null : digest(token);
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.open === true) return undefined;
    if (wanted === null) {
      const host = request.headers.host ?? '';
      if (isAddressLiteral(host)) return undefined;
      return sendProblem(reply, 'misdirected', {
        detail: 'Without a token the API answers only to an IP address or localhost as host.',
      });
    }
    const given = /^Bearer +([^ ]+)$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests have one length, so the comparison takes one time whatever was sent.
    if (given !== undefined && timingSafeEqual(digest(given), wanted)) return undefined;
    return sendProblem(reply, 'unauthorized', {
      detail: given === undefined ? 'No bearer token was sent.' : 'The bearer token is not the right one.',
    });
  });
}
