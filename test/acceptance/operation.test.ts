import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, ended, fetch, type ImageJson, json, serverUnderTest } from './target.ts';

const server = serverUnderTest();

test('health and readiness', async () => {
  for (const path of ['/healthz', '/readyz']) {
    const response = await fetch(`${server.url}${path}`);
    assert.equal(response.status, 200);
    assert.equal((await json<{ status: string }>(response)).status, 'ok');
  }
});

test('metrics count what happened', async () => {
  const value = async (series: string): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.split(' ')[1] ?? 0,
    );
  };
  const uploads = 'gantry_uploads_total{outcome="accepted"}';
  const outcomes = 'gantry_outcomes_total{state="succeeded",label="cat"}';
  const before = [await value(uploads), await value(outcomes)];
  await ended(server.url, await accepted(server.url, 'cats/chelsea.png'));
  assert.ok((await value(uploads)) > (before[0] ?? 0));
  assert.ok((await value(outcomes)) > (before[1] ?? 0));
  assert.ok((await value('process_resident_memory_bytes')) > 0);
});

test('models as their manifests describe them', async () => {
  interface Model {
    readonly digest: string;
    readonly labels: string[];
    readonly input: { width: number; height: number };
    readonly classes: number;
    readonly accuracy: { images: number };
    readonly card: { intendedUse: string; limits: string[]; labelMix: Record<string, number> };
  }
  const { models } = await json<{ models: Model[] }>(await fetch(`${server.url}/models`));
  const id = await accepted(server.url, 'cats/chelsea.png');
  const image = await ended(server.url, id);
  assert.equal(image.result?.model.digest, models[0]?.digest);
  assert.deepEqual(models[0]?.labels, ['dog', 'cat', 'other']);
  assert.deepEqual([models[0].input, models[0].classes], [{ width: 260, height: 260 }, 1000]);
  const { card, accuracy } = models[0];
  assert.ok(card.intendedUse.length > 0 && card.limits.length > 0);
  const mix = Object.values(card.labelMix).reduce((sum, n) => sum + n);
  assert.equal(mix, accuracy.images);
});

interface SummaryJson {
  readonly states: Record<string, number>;
  readonly total: number;
  readonly labels: Record<string, number>;
  readonly throughput: {
    perSecond: number;
    stepSeconds: number;
    series: { at: string; accepted: number; finished: number }[];
  };
}

test('the summary counts what happens', async () => {
  const look = async () => json<SummaryJson>(await fetch(`${server.url}/summary`));
  const before = await look();
  const image = await ended(server.url, await accepted(server.url, 'cats/chelsea.png'));
  // Answers may be a second old, and so may another server's.
  let after = await look();
  while ((after.labels.cat ?? 0) <= (before.labels.cat ?? 0)) after = await look();
  assert.equal(image.result?.label, 'cat');
  assert.equal(
    after.total,
    Object.values(after.states).reduce((sum, n) => sum + n),
  );
  const { series, stepSeconds, perSecond } = after.throughput;
  assert.deepEqual([series.length, stepSeconds], [30, 10]);
  assert.ok(perSecond > 0 && series.some(({ finished }) => finished > 0));
});

interface SystemJson {
  readonly version: string;
  readonly role: string;
  readonly broker: {
    connected: boolean;
    queues: { name: string; ready: number; consumers: number | null }[];
  };
  readonly outbox: { rows: number };
  readonly limits: { maxFileBytes: number; acceptedTypes: string[] };
  readonly models: { name: string }[];
}

test('what runs here, and how it is', async () => {
  const response = await fetch(`${server.url}/system`);
  assert.equal(response.status, 200);
  const system = await json<SystemJson>(response);
  const { version } = await json<{ version: string }>(await fetch(`${server.url}/healthz`));
  assert.equal(system.version, version);
  assert.ok(['serve', 'web'].includes(system.role));
  assert.equal(system.broker.connected, true);
  const images = system.broker.queues.find(({ name }) => name === 'images');
  assert.ok(images && images.ready >= 0 && Number(images.consumers) >= 0, JSON.stringify(images));
  assert.ok(system.outbox.rows >= 0 && system.limits.maxFileBytes > 0);
  assert.ok(system.limits.acceptedTypes.includes('image/png'));
  assert.equal(system.models[0]?.name, 'pets');
});

interface Operation {
  readonly requestBody?: { content: object };
  readonly responses?: Record<
    string,
    { content?: Record<string, { schema: { properties?: object; required?: string[] } }> }
  >;
}
test('the OpenAPI document names every route, and an image is what it says', async () => {
  const document = await json<{ openapi: string; paths: Record<string, Record<string, Operation>> }>(
    await fetch(`${server.url}/openapi.json`),
  );
  assert.match(document.openapi, /^3\.1/);
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(routes.sort(), [
    'delete /images/{id}',
    'delete /session',
    'delete /uploads/{id}',
    'get /dead-letters',
    'get /events',
    'get /healthz',
    'get /images',
    'get /images/{id}',
    'get /images/{id}/events',
    'get /images/{id}/original',
    'get /images/{id}/thumbnail',
    'get /images/{id}/timeline',
    'get /metrics',
    'get /models',
    'get /readyz',
    'get /session',
    'get /summary',
    'get /system',
    'head /uploads/{id}',
    'options /uploads',
    'options /uploads/{id}',
    'patch /uploads/{id}',
    'post /dead-letters/replay',
    'post /dead-letters/{id}/replay',
    'post /images/{id}/reprocess',
    'post /session',
    'post /upload',
    'post /uploads',
    'post /uploads/{id}',
  ]);
  const body = document.paths['/upload']?.post?.requestBody?.content;
  assert.deepEqual(Object.keys(body ?? {}), ['multipart/form-data']);
  const problems = document.paths['/upload']?.post?.responses?.['4XX']?.content;
  assert.deepEqual(Object.keys(problems ?? {}), ['application/problem+json']);
  const schema =
    document.paths['/images/{id}']?.get?.responses?.['200']?.content?.['application/json']?.schema;
  const id = await accepted(server.url, 'cats/chelsea.png');
  await ended(server.url, id);
  const image = await json<ImageJson>(await fetch(`${server.url}/images/${id}`));
  assert.deepEqual(Object.keys(image).sort(), Object.keys(schema?.properties ?? {}).sort());
});

test('the page and the API page are there, with their security headers', async () => {
  for (const path of ['/', '/docs']) {
    const response = await fetch(`${server.url}${path}`);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'self'/);
    await response.text();
  }
});
