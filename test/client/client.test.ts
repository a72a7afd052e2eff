import assert from 'node:assert/strict';
import { openAsBlob } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import {
  ClientError,
  type GantryClient,
  gantryClient,
  type ImageEvent,
  type ImageFilter,
} from '../../src/client/client.ts';
import { plainPicture, poisonModel } from '../poison.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { documented, type Exchange, type OpenApi } from './openapi.ts';

/** A client, and what it said and heard. */
const recorded = (url: string): { client: GantryClient; exchanges: Exchange[] } => {
  const exchanges: Exchange[] = [];
  const recordingFetch: typeof fetch = async (input, init = {}) => {
    const response = await fetch(input, init);
    const type = response.headers.get('content-type') ?? '';
    exchanges.push({
      method: init.method ?? 'GET',
      url: new URL(String(input)),
      requestType: new Headers(init.headers).get('content-type') ?? '',
      status: response.status,
      type,
      body: type.startsWith('application/json') ? await response.clone().json() : undefined,
    });
    return response;
  };
  return { client: gantryClient(url, { fetch: recordingFetch }), exchanges };
};

suite('the client against a running server', () => {
  let server: Gantry;
  before(async () => {
    // Red is sound, white kills every attempt: a dead image without five attempts' pauses.
    const env = { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1', GANTRY_MAX_ATTEMPTS: '1' };
    server = await startGantry({ env });
  });
  after(() => server.stop());

  test('each of its requests and answers is as the OpenAPI document says', async () => {
    const { client, exchanges } = recorded(server.url);
    const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApi;
    const signal = AbortSignal.timeout(60_000);
    const upload = async (name: string, colour: string) => {
      const { bytes } = await plainPicture(name, colour);
      const { id } = await client.upload({ name, content: bytes }, { idempotencyKey: name, signal });
      const ending = await client.ending(id, signal);
      assert.equal(ending.kind, 'ended');
      return id;
    };
    const called = new Set<string>();
    const calls: { [name in keyof GantryClient]: () => Promise<unknown> } = {
      upload: () => upload('red ü 1.png', '#ff0000'),
      ending: () => upload('white.png', '#ffffff'),
      image: async () => client.image((await client.page()).images[0]?.id ?? ''),
      page: async () => {
        const first = await client.page({}, { limit: 1 });
        assert.ok(first.next !== null);
        const filter: ImageFilter = {
          ...{ state: 'succeeded', label: 'dog', text: 'Ü 1' },
          ...{ from: '2020-01-01T00:00:00Z', until: '2120-01-01T00:00:00Z' },
        };
        await client.page(filter, { limit: 1, cursor: first.next });
        const [red] = (await client.page(filter)).images;
        const { images } = await client.page({ ...filter, sha256: red?.sha256 ?? '' });
        assert.deepEqual(
          images.map(({ filename }) => filename),
          ['red ü 1.png'],
        );
      },
      images: async () => assert.equal((await Array.fromAsync(client.images())).length, 2),
      timeline: async () => {
        const [red] = (await client.page({ text: 'red' })).images;
        const { entries, truncated } = await client.timeline(red?.id ?? '');
        assert.deepEqual([entries[0]?.kind, truncated], ['accepted', false]);
      },
      deadLetters: async () => assert.equal((await Array.fromAsync(client.deadLetters())).length, 1),
      replay: async () => {
        const [dead] = await Array.fromAsync(client.deadLetters());
        const { generation, id } = await client.replay(dead?.id ?? '');
        assert.equal(generation, 2);
        await client.ending(id, signal);
      },
      replayAll: async () => assert.equal(await client.replayAll(), 1),
      reprocess: async () => {
        const [red] = (await client.page({ text: 'red' })).images;
        assert.equal((await client.reprocess(red?.id ?? '')).generation, 2);
      },
      events: async () => {
        const [red] = (await client.page({ text: 'red' })).images;
        const seen: ImageEvent[] = [];
        for await (const event of client.events({ signal, imageId: red?.id ?? '' })) {
          seen.push(event);
          if (event.image?.generation === 2 && event.type === 'succeeded') break;
        }
        assert.deepEqual([seen[0]?.type, seen[0]?.image?.filename], ['queued', 'red ü 1.png']);
        const stop = new AbortController();
        for await (const _ of client.events({ signal: stop.signal, onOpen: () => stop.abort() }))
          assert.fail();
      },
      remove: async () => client.remove((await client.page({ text: 'red' })).images[0]?.id ?? ''),
      models: async () => assert.equal((await client.models())[0]?.name, 'poison'),
      summary: async () => assert.equal(typeof (await client.summary()).throughput.perSecond, 'number'),
      system: async () => assert.equal((await client.system()).role, 'serve'),
      health: async () => assert.equal((await client.health()).status, 'ok'),
    };
    for (const [name, call] of Object.entries(calls)) {
      const before = exchanges.length;
      await call();
      assert.ok(exchanges.length > before, `${name} asked nothing`);
      called.add(name);
    }
    assert.deepEqual([...called].sort(), Object.keys(client).sort());
    const used = new Set(exchanges.map((exchange) => documented(document, exchange)));
    assert.equal(used.size, 15, [...used].join('\n'));
  });

  test('a problem is an error with the code and status of the server', async () => {
    const { client } = recorded(server.url);
    await assert.rejects(client.image('019b0000-0000-7000-8000-000000000000'), (error) => {
      assert.ok(error instanceof ClientError);
      assert.deepEqual([error.code, error.status], ['not-found', 404]);
      return true;
    });
    const content = await openAsBlob(new URL(import.meta.url).pathname);
    await assert.rejects(client.upload({ name: 'a', content }), { code: 'unsupported-type', status: 415 });
  });
});
