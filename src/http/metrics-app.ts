/** The app that serves the metrics: built without listening. Holds no metric. */
import { Readable } from 'node:stream';
import { fastify, LogController } from 'fastify';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { answerBrokenHttp, answerError } from './error-answers.js';
import { EXPOSITION_TYPES, negotiateFormat } from './exposition.js';
import type { Metrics } from './metrics.js';
import { sendProblem } from './problem.js';
import type { SubscriberSources } from './subscriber-metrics.js';
import { subscriberChunks } from './subscriber-metrics.js';

export interface MetricsAppOptions {
  readonly metrics: Metrics;
  /** Of `/metrics/subscribers`; null where it is not turned on. */
  readonly subscribers: SubscriberSources | null;
  readonly logger: FastifyBaseLogger;
}

/** Builds the app that serves `/metrics`; the caller listens and closes. */
export function buildMetrics({ metrics, subscribers, logger }: MetricsAppOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024,
    requestTimeout: 10_000,
    forceCloseConnections: true,
    frameworkErrors: (...failure) => void answerError(...failure),
    clientErrorHandler: answerBrokenHttp,
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, 'not-found', { detail: `Nothing is at ${request.url}; the metrics are at /metrics.` }),
  );
  app.addHook('onSend', async (_request, reply) => {
    reply.header('vary', 'accept');
  });
  app.get('/metrics', async (request, reply) => {
    const format = negotiateFormat(request.headers.accept);
    return reply.type(EXPOSITION_TYPES[format]).send(await metrics.render(format));
  });
  app.get('/metrics/subscribers', async (request, reply) => {
    if (subscribers === null) {
      const detail = 'Series of every subscriber are not turned on: set metrics.subscribers to true.';
      return sendProblem(reply, 'not-found', { detail });
    }
    const format = negotiateFormat(request.headers.accept);
    return reply.type(EXPOSITION_TYPES[format]).send(Readable.from(subscriberChunks(subscribers, format)));
  });
  return app;
}
