/** docs/http-api.md, made of the OpenAPI document that the API serves: the same schemas check its requests. */
import { cell } from './markdown.js';

interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly summary?: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

const HEAD = `<!-- Written by make docs from the OpenAPI document that the API serves; do not edit. -->
# HTTP API

The API listens on \`api.listen\` (with TLS where \`api.tls\` is set) for whoever has the bearer token of \`api.tokenFile\`, and on the unix socket \`api.socket\` for root,
without a token. It describes itself at \`/api/v1/openapi.json\` (OpenAPI 3.1); this page is made from that. Bodies are JSON. Whatever is not a success is a problem
document (RFC 9457). Lists come in pages or as a stream; live ones are server-sent events.

\`\`\`sh
curl -s --unix-socket /run/bng/bng.sock http://localhost/api/v1/sessions
curl -s --unix-socket /run/bng/bng.sock http://localhost/api/v1/openapi.json | jq -e '.openapi'
curl -s -H "Authorization: Bearer $(cat /etc/bng/api.token)" http://127.0.0.1:8080/api/v1/pools
\`\`\`
`;

/** The whole document. */
export function apiReference({ paths }: OpenApi): string {
  const parts = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) =>
      section(`${method.toUpperCase()} ${path}`, operation),
    ),
  );
  return [HEAD, ...parts].join('\n');
}

function section(title: string, operation: Operation): string {
  const body = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
  const answer = operation.responses['200']?.content ?? {};
  const [[media, { schema }] = ['', { schema: {} }]] = Object.entries(answer);
  return [
    `## ${title}`,
    `${operation.summary ?? ''}.${operation.security?.length === 0 ? ' Needs no token.' : ''}`,
    ...table(
      'Parameter',
      (operation.parameters ?? []).map((parameter) => [
        `\`${parameter.name}\` (${parameter.in}${parameter.required ? ', required' : ''})`,
        parameter.schema,
      ]),
    ),
    ...table('Field of the body', fieldsOf(body)),
    ...(media === '' || media === 'application/json' ? [] : [`Answers with \`${media}\`.`]),
    ...table('Field of the answer', fieldsOf(schema)),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

function fieldsOf(schema: Schema | undefined, base = ''): readonly (readonly [string, Schema])[] {
  return Object.entries(schema?.properties ?? {}).flatMap(([name, field]): (readonly [string, Schema])[] => {
    const path = `${base}${name}`;
    const below =
      field.items === undefined ? fieldsOf(field, `${path}.`) : fieldsOf(field.items, `${path}[].`);
    const need = base === '' && (schema?.required ?? []).includes(name) ? ' (required)' : '';
    return [[`\`${path}\`${need}`, field], ...below];
  });
}

function table(head: string, rows: readonly (readonly [string, Schema])[]): readonly string[] {
  if (rows.length === 0) return [];
  const lines = rows.map(
    ([name, schema]) => `| ${name} | ${cell(kindOf(schema))} | ${cell(schema.description ?? '')} |`,
  );
  return [[`| ${head} | Value | Meaning |`, '|---|---|---|', ...lines].join('\n')];
}

function kindOf({ type, enum: words, minimum, maximum, items }: Schema): string {
  if (words !== undefined) return words.map((word) => `\`${String(word)}\``).join(', ');
  if (items !== undefined) return `list of ${kindOf(items)}`;
  const kind = typeof type === 'string' ? type : (type ?? []).join(' or ');
  if (minimum === undefined && maximum === undefined) return kind;
  return `${kind}, ${minimum ?? ''} to ${maximum ?? ''}`;
}
