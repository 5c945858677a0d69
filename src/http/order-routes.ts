/** The orders an operator gives: activate, suspend, resume, terminate. Schemas check; the session layer decides. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { formatIpv4 } from '../model/ipv4.js';
import type { AddressPools } from '../pool/port.js';
import type { OperatorInlet, OperatorResult } from '../session/inlet.js';
import { nullableAddressSchema, ontSerialSchema, stateSchema } from './field-schemas.js';
import { sendProblem } from './problem.js';

const nameSchema = {
  type: 'string',
  pattern: '^[!-~]{1,64}$',
  description: '1 to 64 printable ASCII characters without spaces',
} as const;

const rateSchema = {
  type: 'integer',
  minimum: 0,
  maximum: 1_000_000_000_000,
  description: 'bits per second, 0 = unlimited',
} as const;

const answerSchema = {
  type: 'object',
  required: ['status', 'session'],
  properties: {
    status: { type: 'string', enum: ['success'] },
    session: {
      type: 'object',
      required: ['ont_serial', 'old_state', 'new_state', 'old_ip', 'message'],
      properties: {
        ont_serial: { type: 'string' },
        old_state: stateSchema,
        new_state: stateSchema,
        old_ip: nullableAddressSchema,
        message: { type: 'string' },
      },
    },
  },
} as const;

interface ActivateBody {
  readonly ont_serial: string;
  readonly service_id: string;
  readonly pool: string;
  readonly qos_download_bps: number;
  readonly qos_upload_bps: number;
}

interface OrderBody {
  readonly ont_serial: string;
  readonly reason?: string;
}

function answer(reply: FastifyReply, ontSerial: string, result: OperatorResult): FastifyReply {
  if (result.ok) {
    return reply.send({
      status: 'success',
      session: {
        ont_serial: result.ontSerial,
        old_state: result.oldState,
        new_state: result.newState,
        old_ip: result.oldAddress === null ? null : formatIpv4(result.oldAddress),
        message: result.message,
      },
    });
  }
  switch (result.kind) {
    case 'unknown-ont':
      return sendProblem(reply, 'unknown-ont', {
        detail: `No ONT with the serial ${ontSerial} has been seen.`,
      });
    case 'conflict':
      return sendProblem(reply, 'conflict', { detail: result.reason, state: result.state });
    case 'invalid':
      return sendProblem(reply, 'invalid-field', { detail: result.reason, field: result.field });
    case 'failed':
      return sendProblem(reply, 'failed', { detail: result.reason });
  }
}

function addActivate(
  app: FastifyInstance,
  operator: OperatorInlet,
  pools: Pick<AddressPools, 'names'>,
): void {
  const body = {
    type: 'object',
    required: ['ont_serial', 'service_id', 'pool', 'qos_download_bps', 'qos_upload_bps'],
    additionalProperties: false,
    properties: {
      ont_serial: ontSerialSchema,
      service_id: nameSchema,
      pool: { type: 'string', description: 'the name of a configured pool, or of a group of pools' },
      qos_download_bps: rateSchema,
      qos_upload_bps: rateSchema,
    },
  };
  const schema = {
    summary: 'Activates a line out of the walled garden',
    body,
    response: { 200: answerSchema },
  };
  app.post<{ Body: ActivateBody }>('/api/v1/activate', { schema }, async (request, reply) => {
    const order = request.body;
    // Not in the schema: a reload may add pools.
    const names = pools.names();
    if (!names.includes(order.pool)) {
      const [found, expected] = [JSON.stringify(order.pool), `one of ${names.join(', ')}`];
      const detail = `pool: expected ${expected}, found ${found}`;
      return sendProblem(reply, 'invalid-field', { detail, field: 'pool', found, expected });
    }
    const result = await operator.activate({
      ontSerial: order.ont_serial,
      serviceId: order.service_id,
      poolName: order.pool,
      downloadBitsPerSecond: order.qos_download_bps,
      uploadBitsPerSecond: order.qos_upload_bps,
    });
    return answer(reply, order.ont_serial, result);
  });
}

/** Adds the four order routes. `reason` is written to the log; of a suspension the subscriber's own page shows it too. */
export function addOrderRoutes(
  app: FastifyInstance,
  operator: OperatorInlet,
  pools: Pick<AddressPools, 'names'>,
): void {
  addActivate(app, operator, pools);
  const body = {
    type: 'object',
    required: ['ont_serial'],
    additionalProperties: false,
    properties: {
      ont_serial: ontSerialSchema,
      reason: {
        type: 'string',
        pattern: '^\\P{Cc}{1,200}$',
        description: '1 to 200 characters, no control characters',
      },
    },
  };
  const orders = [
    {
      name: 'suspend',
      summary: 'Puts an active line back into the walled garden',
      give: (ont: string, reason: string) => operator.suspend(ont, reason),
    },
    { name: 'resume', summary: 'Ends a suspension', give: (ont: string) => operator.resume(ont) },
    { name: 'terminate', summary: 'Ends the session', give: (ont: string) => operator.terminate(ont) },
  ];
  for (const { name, summary, give } of orders) {
    const schema = { summary, body, response: { 200: answerSchema } };
    app.post<{ Body: OrderBody }>(`/api/v1/${name}`, { schema }, async (request, reply) => {
      const { ont_serial: ontSerial, reason = 'ordered by the operator' } = request.body;
      const result = await give(ontSerial, reason);
      return answer(reply, ontSerial, result);
    });
  }
}
