import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import {
  type DocumentedMetric,
  documentedMetrics,
  metricsPage,
} from '../../src/observability/metrics-page.ts';
import { accepted, ended, events, fixture, upload } from '../acceptance/target.ts';
import { type RabbitMq, rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';
import { ofOurs, type Sample, type Scrape, scrape } from './scrape.ts';

test('docs/metrics.md is what the code says (npm run docs)', async () => {
  const page = await readFile(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  assert.equal(page, metricsPage());
});

test('gantry serve exports all of it', async (t) => {
  const server = await startGantry({ env: { GANTRY_WORKERS: '1' } });
  t.after(() => server.stop());
  const exported = ofOurs(await scrape(server)).sort();
  assert.deepEqual(
    exported,
    documentedMetrics().map(({ name }) => name),
  );
});

suite('a live scrape of web server and consumer, over RabbitMQ', { skip: rabbitMqMissing() }, () => {
  const stack = new AsyncDisposableStack();
  let rabbit: RabbitMq;
  let web: Gantry;
  let consumer: Gantry;
  let scrapes: Readonly<Record<'web' | 'consumer', Scrape>>;
  let fresh: typeof scrapes;

  before(async () => {
    rabbit = await startRabbitMq();
    stack.defer(() => rabbit.dispose());
    const dataDir = await mkdtemp(join(tmpdir(), 'gantry-metrics-'));
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    const env = { GANTRY_AMQP_URL: rabbit.amqpUrl, GANTRY_WORKERS: '2', GANTRY_MAX_FILE_BYTES: '2MB' };
    web = await startGantry({ role: 'web', dataDir, env });
    stack.defer(() => web.stop().then());
    consumer = await startGantry({ role: 'consumer', dataDir, env });
    stack.defer(() => consumer.stop().then());

    fresh = { web: await scrape(web), consumer: await scrape(consumer) };
    const stream = events(`${web.url}/events`);
    const first = stream.next();
    for (const path of ['cats/chelsea.png', 'odd/dog_truncated.jpg'])
      await ended(web.url, await accepted(web.url, path));
    const refused = [
      { name: 'a.txt', bytes: Buffer.from('no image') },
      { name: 'large.png', bytes: Buffer.concat([await fixture('cats/chelsea.png'), Buffer.alloc(3e6)]) },
    ];
    assert.equal((await upload(web.url, refused)).status, 415);
    const text = { method: 'POST', body: 'no form', headers: { 'content-type': 'text/plain' } };
    assert.equal((await fetch(`${web.url}/upload`, text)).status, 415);
    const key = { 'idempotency-key': 'once' };
    const again = [{ name: 'again.png', bytes: await fixture('cats/chelsea.png') }];
    for (const _ of [1, 2]) assert.equal((await upload(web.url, again, key)).status, 202);
    await first;
    scrapes = { web: await scrape(web), consumer: await scrape(consumer) };
    await stream.return(undefined);
  });
  after(() => stack.disposeAsync());

  test('each exports what docs/metrics.md says, and nothing else', () => {
    for (const role of ['web', 'consumer'] as const) {
      const documented = documentedMetrics().filter(({ from }) => from === role || from === 'both');
      assert.deepEqual(ofOurs(scrapes[role]).sort(), documented.map(({ name }) => name).sort(), role);
      for (const { name, type } of documented) assert.equal(scrapes[role].types.get(name), type, name);
    }
  });

  test('names and labels follow the conventions, and labels are the documented ones', () => {
    const byName = new Map(documentedMetrics().map((metric) => [metric.name, metric]));
    const metricOf = (sample: string): DocumentedMetric | undefined =>
      byName.get(sample) ?? byName.get(sample.replace(/_(bucket|sum|count)$/, ''));
    for (const { samples } of Object.values(scrapes)) {
      for (const { name, labels } of samples.filter((sample) => sample.name.startsWith('gantry_'))) {
        const metric = metricOf(name);
        assert.ok(metric, name);
        const known = [...metric.labelNames, 'le'];
        for (const [label, text] of Object.entries(labels)) {
          assert.ok(known.includes(label), `${name} has the label ${label}`);
          // No ID, no path: a series for each image would be the end of any Prometheus.
          assert.doesNotMatch(text, /[0-9a-f]{8}-[0-9a-f]{4}-7/, `${name} ${label}`);
        }
      }
    }
    for (const { name, type } of byName.values())
      if (type === 'counter') assert.match(name, /_total$/);
      else
        assert.match(
          name,
          /_(seconds|bytes|info|images|rows|size|workers|streams|messages|consumers|connected|active|up|unfinished|dead|confidence)$/,
        );
  });

  test('what counts begins at 0, for increase() to see the first event', () => {
    const text = ({ name, labels }: Sample) => `${name} ${JSON.stringify(labels)}`;
    for (const role of ['web', 'consumer'] as const) {
      const { types, samples } = scrapes[role];
      const begun = new Map(fresh[role].samples.map((sample) => [text(sample), sample.value]));
      const counting = samples.filter(
        ({ name }) =>
          name.startsWith('gantry_') &&
          !name.startsWith('gantry_http_') &&
          (types.get(name) === 'counter' || types.get(name.replace(/_count$/, '')) === 'histogram'),
      );
      assert.ok(counting.length > 40, `${role}: ${counting.length}`);
      for (const sample of counting) assert.equal(begun.get(text(sample)), 0, `${role}: ${text(sample)}`);
    }
    const route = { method: 'POST', route: '/upload' };
    for (const status of ['202', '500', '503', '507'])
      assert.equal(
        fresh.web.value('gantry_http_request_duration_seconds_count', { ...route, status }),
        0,
        status,
      );
    const unroutable = { queue: 'images', reason: 'unroutable' };
    assert.equal(fresh.web.value('gantry_publish_failures_total', unroutable), 0);
    assert.equal(fresh.consumer.value('gantry_worker_restarts_total', { reason: 'crash' }), 0);
  });

  test('no request makes series of its own', async () => {
    const ask = async (method: string, path: string): Promise<number | undefined> => {
      const asked = request(`${web.url}${path}`, { method }).end();
      const [{ statusCode }] = (await once(asked, 'response')) as [IncomingMessage];
      return statusCode;
    };
    const series = ({ samples }: Scrape) =>
      samples
        .filter(({ name }) => name.startsWith('gantry_'))
        .map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
    for (const method of ['PROPFIND', 'GET', 'PUT']) assert.equal(await ask(method, '/nowhere'), 404);
    const before = series(await scrape(web));
    for (const path of ['/nowhere/1', '/upload/2', '/images/3/4/5'])
      for (const method of ['PROPFIND', 'MKCOL', 'REPORT', 'TRACE', 'PURGE', 'GET', 'PUT'])
        assert.equal(await ask(method, path), 404, `${method} ${path}`);
    for (const outcome of ['x', 'y']) {
      const form = new FormData();
      form.append('image', new File(['none'], `${outcome}.png`));
      form.append('model', outcome);
      await fetch(`${web.url}/upload?outcome=${outcome}`, { method: 'POST', body: form });
    }
    assert.deepEqual(series(await scrape(web)), before);
  });

  test('uploads are counted by what became of them', () => {
    const { value } = scrapes.web;
    const uploads = (outcome: string) => value('gantry_uploads_total', { outcome });
    assert.deepEqual(
      ['accepted', 'repeated', 'unsupported-type', 'file-too-large', 'not-multipart'].map(uploads),
      [3, 1, 1, 1, 1],
    );
    const counted = { method: 'POST', route: '/upload' };
    assert.equal(value('gantry_http_request_duration_seconds_count', { ...counted, status: '202' }), 4);
    assert.equal(value('gantry_http_request_duration_seconds_count', { ...counted, status: '415' }), 2);
    assert.ok((value('gantry_upload_bytes_total') ?? 0) > 1000);
  });

  test('every stage of an image has its duration', () => {
    const count = (scraped: Scrape, stage: string) =>
      scraped.value('gantry_stage_duration_seconds_count', { stage });
    for (const stage of ['accept', 'outbox', 'record'])
      assert.ok((count(scrapes.web, stage) ?? 0) >= 2, `${stage}: ${count(scrapes.web, stage)}`);
    for (const stage of ['queue', 'fetch', 'decode', 'infer'])
      assert.ok((count(scrapes.consumer, stage) ?? 0) >= 1, `${stage}: ${count(scrapes.consumer, stage)}`);
    assert.ok((scrapes.web.value('gantry_end_to_end_duration_seconds_count') ?? 0) >= 2);
  });

  test('results, attempts and workers', () => {
    const { web: atWeb, consumer: atConsumer } = scrapes;
    assert.ok((atWeb.value('gantry_outcomes_total', { state: 'succeeded', label: 'cat' }) ?? 0) >= 1);
    assert.equal(atWeb.value('gantry_outcomes_total', { state: 'failed' }), 1);
    assert.ok((atWeb.value('gantry_result_confidence_count', { label: 'cat' }) ?? 0) >= 1);
    assert.ok((atConsumer.value('gantry_attempts_total', { outcome: 'succeeded' }) ?? 0) >= 1);
    assert.equal(atConsumer.value('gantry_attempts_total', { outcome: 'refused' }), 1);
    assert.equal(atConsumer.value('gantry_model_info', { name: 'pets' }), 1);
    const workers = ['idle', 'busy', 'down'].map(
      (state) => atConsumer.value('gantry_workers', { state }) ?? 0,
    );
    assert.equal(
      workers.reduce((sum, count) => sum + count),
      2,
    );
    assert.ok((atConsumer.value('gantry_worker_resident_memory_bytes', { worker: '0' }) ?? 0) > 1e7);
  });

  test('connections, subscriptions, queues and dependencies', () => {
    const { web: atWeb, consumer: atConsumer } = scrapes;
    for (const { value } of [atWeb, atConsumer]) assert.equal(value('gantry_broker_connected'), 1);
    assert.equal(atConsumer.value('gantry_subscription_active', { queue: 'images' }), 1);
    assert.equal(atWeb.value('gantry_subscription_active', { queue: 'results' }), 1);
    assert.equal(atWeb.value('gantry_queue_consumers', { queue: 'images' }), 1);
    for (const dependency of ['store', 'storage', 'broker'])
      assert.equal(atWeb.value('gantry_dependency_up', { dependency }), 1, dependency);
    assert.ok((atWeb.value('gantry_storage_free_bytes') ?? 0) > 1e6);
    assert.equal(atWeb.value('gantry_storage_reserve_bytes'), 1e6);
    assert.equal(atWeb.value('gantry_event_streams'), 1);
    assert.equal(atWeb.value('gantry_ledger_imbalance_images'), 0);
    assert.ok((atWeb.value('nodejs_eventloop_lag_p99_seconds') ?? -1) >= 0);
  });

  test('without consumer and broker the rest is still told', async () => {
    await consumer.stop();
    const waiting = await accepted(web.url, 'cats/chelsea.png');
    const behind = await scrape(web);
    assert.equal(behind.value('gantry_queue_consumers', { queue: 'images' }), 0);
    assert.ok((behind.value('gantry_images_unfinished') ?? 0) >= 1, waiting);
    await rabbit.kill();
    await web.logged('broker connection lost', { connection: 'publish' });
    await accepted(web.url, 'cats/chelsea.png');
    const cut = await scrape(web);
    assert.equal(cut.value('gantry_broker_connected'), 0);
    assert.equal(cut.value('gantry_dependency_up', { dependency: 'broker' }), 0);
    assert.equal(cut.value('gantry_dependency_up', { dependency: 'store' }), 1);
    assert.ok((cut.value('gantry_outbox_rows') ?? 0) >= 1);
    assert.ok((cut.value('gantry_oldest_outbox_row_seconds') ?? 0) > 0);
    assert.ok((cut.value('gantry_oldest_unfinished_image_seconds') ?? 0) > 0);
  });
});
