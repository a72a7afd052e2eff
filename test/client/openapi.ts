import assert from 'node:assert/strict';
import { Compile } from 'typebox/schema';

interface Operation {
  readonly parameters?: { in: string; name: string }[];
  readonly requestBody?: { content: Record<string, object> };
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}
export interface OpenApi {
  readonly paths: Record<string, Record<string, Operation>>;
}

/** One exchange with a server. */
export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly requestType: string;
  readonly status: number;
  readonly type: string;
  /** The answer, if it is JSON. */
  readonly body: unknown;
}

const mediaType = (header: string): string => header.split(';')[0] ?? '';
const matches = (pattern: string, path: string): boolean =>
  new RegExp(`^${pattern.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`).test(path);

/** Asserts that the document knows this exchange: path, method, query, form, status, and an answer as its schema says. */
export const documented = ({ paths }: OpenApi, exchange: Exchange): string => {
  const { method, url, status, type, body } = exchange;
  const known = Object.keys(paths).filter((pattern) => matches(pattern, url.pathname));
  // `/dead-letters/replay` also looks like `/dead-letters/{id}`.
  const path = known.sort((a, b) => a.split('{').length - b.split('{').length)[0];
  const operation = paths[path ?? '']?.[method.toLowerCase()];
  assert.ok(path !== undefined && operation !== undefined, `${method} ${url.pathname} is in no document`);
  const name = `${method} ${path}`;
  const allowed = (operation.parameters ?? []).filter((one) => one.in === 'query').map((one) => one.name);
  for (const given of url.searchParams.keys()) {
    assert.ok(allowed.includes(given), `${name} takes no ${given}`);
  }
  if (exchange.requestType !== '') {
    const taken = Object.keys(operation.requestBody?.content ?? {});
    assert.ok(taken.includes(mediaType(exchange.requestType)), `${name} takes ${taken}`);
  }
  const answer = operation.responses[status] ?? assert.fail(`${name} never answers ${status}`);
  if (status === 204) return name;
  const { schema } = answer.content?.[mediaType(type)] ?? assert.fail(`${name} never answers with ${type}`);
  if (body !== undefined) {
    const [fine, errors] = Compile(schema).Errors(body);
    assert.ok(fine, `${name}: ${JSON.stringify(errors)}`);
  }
  return name;
};
