/** The operator API: builds the app out of its routes, without listening. Holds no route of its own but the description. */
import { fastify, LogController } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { addAdmission } from './admission.js';
import type { ApiOptions } from './api-options.js';
import { addDropRoutes } from './drop-routes.js';
import { answerBrokenHttp, answerError } from './error-answers.js';
import { addEventRoutes } from './event-routes.js';
import { EventHistory } from './event-history.js';
import { EventStream } from './event-stream.js';
import { addHealthRoutes } from './health-routes.js';
import { addKernelRoutes } from './kernel-routes.js';
import { collectRoutes, methodsOf, openApiDocument } from './openapi.js';
import { addOperationRoutes } from './operation-routes.js';
import { addOrderAudit } from './order-audit.js';
import { addOrderRoutes } from './order-routes.js';
import { OverviewFeed } from './overview-feed.js';
import { addPageRoutes } from './page-routes.js';
import { addPoolRoutes } from './pool-routes.js';
import { sendProblem } from './problem.js';
import { addRadiusRoutes } from './radius-routes.js';
import { addRateLimit } from './rate-limit.js';
import { addSessionRoutes } from './session-routes.js';
import { addTraceRoutes } from './trace-routes.js';
import { TraceStream } from './trace-stream.js';
import { addTrafficRoutes } from './traffic-routes.js';

/** Builds the app; the caller listens and closes. Every answer that is not a success is a problem document. */
export function buildApi(options: ApiOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    ...(options.tls === undefined ? {} : { https: { ...options.tls, minVersion: 'TLSv1.2' } }),
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.limits.bodyBytes,
    requestTimeout: options.limits.requestTimeoutMs,
    routerOptions: { maxParamLength: 128 },
    forceCloseConnections: true,
    // Bodies are refused, not repaired: no conversion, no silently dropped field. `verbose` tells what was found.
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, verbose: true },
    },
    frameworkErrors: (...failure) => void answerError(...failure),
    clientErrorHandler: answerBrokenHttp,
  });
  // JSON only: a form or plain text is what a foreign web page can send without asking first.
  app.removeContentTypeParser('text/plain');
  app.setErrorHandler(answerError);
  app.addHook('onSend', async (_request, reply) => {
    reply.header('x-content-type-options', 'nosniff');
    // Only what is the same for everybody says otherwise itself.
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });
  if (options.isLocal !== true) {
    addRateLimit(app, options.limits.requests, options.clock);
    addAdmission(app, options.token);
  }
  const tokenName = options.isLocal === true ? null : (options.tokenName ?? 'api');
  addOrderAudit(app, { ...options, tokenName });
  const routes = collectRoutes(app);

  addOrderRoutes(app, options.operator, options.pools);
  const history = new EventHistory(options.lifecycle);
  addSessionRoutes(app, { ...options, history });
  addPoolRoutes(app, options.pools);
  addDropRoutes(app, options);
  addTrafficRoutes(app, options);
  addKernelRoutes(app, options);
  addRadiusRoutes(app, options.radius);
  addHealthRoutes(app, options.health);
  addOperationRoutes(app, options.operator, options.reload ?? null);
  const onClientDropped = options.onEventClientDropped ?? ((): void => undefined);
  addEventRoutes(app, new EventStream({ ...options, onClientDropped }), history);
  if (options.page !== undefined) {
    const { files, onBug } = options.page;
    addPageRoutes(app, files, new OverviewFeed({ ...options, history, onClientDropped, onBug }));
  }
  addTraceRoutes(app, new TraceStream({ ...options, onClientDropped }));
  const descriptionSchema = {
    summary: 'This description',
    response: { 200: { type: 'object', additionalProperties: true } },
  };
  app.get('/api/v1/openapi.json', { schema: descriptionSchema }, (_request, reply) =>
    reply.send(openApiDocument(routes)),
  );

  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const methods = methodsOf(routes, path);
    if (methods.length === 0) return sendProblem(reply, 'not-found', { detail: `Nothing is at ${path}.` });
    reply.header('allow', methods.join(', '));
    return sendProblem(reply, 'method-not-allowed', { detail: `${path} takes ${methods.join(', ')}.` });
  });
  return app;
}
