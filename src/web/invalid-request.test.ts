import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanings } from './invalid-request.ts';
import { openWeb } from './web.testing.ts';

interface OpenApi {
  readonly paths: Record<string, Record<string, { parameters?: unknown }>>;
}

const id = '01a223dd-d445-71ae-85a8-3a5bbb26d192';
const refused: readonly (readonly [url: string, detail: string])[] = [
  ['/images?sha256=xyz', 'sha256 must be 64 hexadecimal digits, lower case'],
  [`/images?sha256=${'A'.repeat(64)}`, 'sha256 must be 64 hexadecimal digits, lower case'],
  ['/images?sha256=a&sha256=b', 'sha256 must be string'],
  ['/images?from=yesterday', 'from must be a time as in RFC 3339, such as 2026-11-23T14:00:00Z'],
  ['/images?until=2026-12-31T23:59:60Z', 'until is no time'],
  ['/images?state=happy', 'state must be one of queued, processing, succeeded, failed, dead'],
  ['/images?sate=failed', 'the query takes no "sate"'],
  ['/images?limit=501', 'limit must be <= 500'],
  ['/images?limit=1e400', 'limit must be <= 500'],
  ['/images?limit=-1e400', 'limit must be >= 1'],
  ['/images?limit=NaN', 'limit must be integer'],
  ['/dead-letters?limit=1e400', 'limit must be <= 500'],
  [`/images?text=${'x'.repeat(201)}`, 'text must NOT have more than 200 characters'],
  ['/images/xyz', `id must be a UUID, such as ${id}`],
  ['/images/xyz/timeline', `id must be a UUID, such as ${id}`],
];

test('a request that is not as it should be is told what it should be', async (t) => {
  const { app } = await openWeb(t);
  for (const [url, detail] of refused) {
    const response = await app.inject(url);
    const { code, detail: told } = response.json();
    assert.deepEqual([response.statusCode, code, told], [400, 'invalid-request', detail], url);
  }
});

test('a body is refused with the limit, or with its type', async (t) => {
  const { app } = await openWeb(t);
  const post = async (headers: Record<string, string>, payload: string) => {
    const response = await app.inject({ method: 'POST', url: '/session', headers, payload });
    return [response.statusCode, response.json().code, response.json().detail];
  };
  const json = { 'content-type': 'application/json' };
  const large = JSON.stringify({ key: 'x'.repeat(5000) });
  const tooLarge = 'the body is larger than the limit of 4096 bytes';
  assert.deepEqual(await post(json, large), [413, 'body-too-large', tooLarge]);
  assert.deepEqual(await post(json, '{"kee":1}'), [
    400,
    'invalid-request',
    "the body must have required property 'key'",
  ]);
  const xml = 'this takes no body of the type "text/xml"';
  assert.deepEqual(await post({ 'content-type': 'text/xml' }, '<a/>'), [415, 'unsupported-media-type', xml]);
});

test('every pattern and format that a request is held to can be said in words', async (t) => {
  const { app } = await openWeb(t);
  const wanted = new Set<string>();
  const look = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      if ((key === 'pattern' || key === 'format') && typeof value === 'string') wanted.add(value);
      else look(value);
    }
  };
  const { paths } = (await app.inject('/openapi.json')).json<OpenApi>();
  for (const { parameters } of Object.values(paths).flatMap((path) => Object.values(path))) look(parameters);
  assert.deepEqual([...wanted].sort(), Object.keys(meanings).sort());
});
