/** The OpenAPI 3.1 description of an app, made from the very schemas that check its requests. */
import type { FastifyInstance, RouteOptions } from 'fastify';
import { problemSchema } from './problem.js';

declare module 'fastify' {
  interface FastifySchema {
    /** One line for the description. */
    summary?: string;
    /** Media types of a success where it is not JSON. */
    produces?: readonly string[];
  }
}

interface ObjectSchema {
  readonly required?: readonly string[];
  readonly properties: Readonly<Record<string, object>>;
}

/** What a route's schema holds here; fastify types these members as unknown. */
interface RouteSchema {
  readonly summary?: string;
  readonly produces?: readonly string[];
  readonly params?: ObjectSchema;
  readonly querystring?: ObjectSchema;
  readonly body?: object;
  readonly response?: Readonly<Record<string, object>>;
}

export interface CollectedRoute {
  readonly method: string;
  readonly url: string;
  readonly schema: RouteSchema;
  readonly open: boolean;
}

/** Collects every route added to `app` from now on, HEAD twins apart. */
export function collectRoutes(app: FastifyInstance): readonly CollectedRoute[] {
  const routes: CollectedRoute[] = [];
  app.addHook('onRoute', (route: RouteOptions) => {
    for (const method of [route.method].flat()) {
      if (method === 'HEAD') continue;
      const schema = (route.schema ?? {}) as RouteSchema;
      routes.push({ method, url: route.url, schema, open: route.config?.open === true });
    }
  });
  return routes;
}

function parameters(place: 'path' | 'query', schema: ObjectSchema | undefined): object[] {
  return Object.entries(schema?.properties ?? {}).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || (schema?.required ?? []).includes(name),
    schema: field,
  }));
}

function operation({ schema, open }: CollectedRoute): object {
  const [contentType = 'application/json'] = schema.produces ?? [];
  const answers = Object.entries(schema.response ?? {}).map(([status, answer]): [string, unknown] => [
    status,
    { description: 'Success', content: { [contentType]: { schema: answer } } },
  ]);
  return {
    summary: schema.summary,
    parameters: [...parameters('path', schema.params), ...parameters('query', schema.querystring)],
    ...(schema.body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: schema.body } } } }),
    responses: { ...Object.fromEntries(answers), default: { $ref: '#/components/responses/Problem' } },
    security: open ? [] : [{ token: [] }],
  };
}

/** Renders the description of the routes collected so far. */
export function openApiDocument(routes: readonly CollectedRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:([a-z_]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'BNG operator API', version: '1' },
    paths,
    components: {
      schemas: { Problem: problemSchema },
      responses: {
        Problem: {
          description: 'Anything else: a problem document (RFC 9457)',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

/** The methods that a path of the collected routes takes; empty for an unknown path. */
export function methodsOf(routes: readonly CollectedRoute[], path: string): string[] {
  const matches = (url: string): boolean =>
    new RegExp(`^${url.replaceAll('.', '\\.').replace(/:[a-z_]+/g, '[^/]+')}$`).test(path);
  return routes.filter((route) => matches(route.url)).map((route) => route.method);
}
