/** The OpenAPI document as the API serves it, of an API that stands before nothing. */
import { buildApi } from '../../src/http/api.js';
import { apiOptions, FakeBng } from '../../test/http/fake-bng.js';
import type { OpenApi } from './api-reference.js';

export async function apiDescription(): Promise<OpenApi> {
  const app = buildApi(
    apiOptions(new FakeBng(), {
      reload: async () => ({ ok: true, changes: [] }),
      page: {
        files: { index: { type: 'text/html', bytes: Buffer.alloc(0) }, version: '', assets: new Map() },
        onBug: () => undefined,
      },
    }),
  );
  const answer = await app.inject({ url: '/api/v1/openapi.json' });
  await app.close();
  return answer.json();
}
