import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dashboardExpressions, rulesFolder } from '../../scripts/monitoring/sources.ts';
import { accepted, ended } from '../acceptance/target.ts';
import { freePorts } from '../services/free-port.ts';
import {
  eventually,
  type PrometheusApi,
  prometheusMissing,
  startPrometheus,
} from '../services/prometheus.ts';
import { rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';

/** Compose's own configuration, for servers on ports of this machine, and as fast as it can be. */
const configuration = async (targets: Readonly<Record<string, string>>): Promise<string> => {
  const file = fileURLToPath(new URL('../../deploy/compose/prometheus.yml', import.meta.url));
  let text = (await readFile(file, 'utf8'))
    .replaceAll('15s', '1s')
    .replace('/etc/prometheus/rules/', './rules-');
  for (const [name, target] of Object.entries(targets))
    text = text
      .replace(
        new RegExp(`dns_sd_configs: .*\\b${name}\\b.*`),
        `static_configs: [{ targets: ["${target}"] }]`,
      )
      .replaceAll(new RegExp(`${name}:\\d+`, 'g'), target);
  return text;
};

/** The rules as they are, but for how long an alert waits. */
const hastyRules = async (): Promise<Record<string, string>> => {
  const names = (await readdir(rulesFolder)).filter((name) => name.endsWith('.yaml'));
  const texts = names.map(async (name) => [
    `rules-${name}`,
    (await readFile(join(rulesFolder, name), 'utf8')).replaceAll(/^( +for:) .*$/gm, '$1 2s'),
  ]);
  return Object.fromEntries(await Promise.all(texts));
};

/** What shows nothing while all is well, or on the first day. */
const quiet = [
  'overview: Alerts',
  'overview: Refused files',
  'pipeline: Retries',
  'pipeline: Queued again, and outcomes without effect',
  'pipeline: Publishing failures',
  'pipeline: Workers started anew',
  'model quality: Confidence drift (1 day)',
  'model quality: Label mix against a week ago',
].map((title) => `Gantry: ${title}`);

const missing = rabbitMqMissing() || prometheusMissing();
suite('a real Prometheus, with the rules and compose’s configuration', { skip: missing }, () => {
  const stack = new AsyncDisposableStack();
  let prometheus: PrometheusApi;
  let web: Gantry;
  let consumer: Gantry;
  let startConsumer: () => Promise<Gantry>;

  before(async () => {
    const rabbit = await startRabbitMq();
    stack.defer(() => rabbit.dispose());
    const dataDir = await mkdtemp(join(tmpdir(), 'gantry-monitoring-'));
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    const env = { GANTRY_AMQP_URL: rabbit.amqpUrl, GANTRY_WORKERS: '1' };
    const [metricsPort = 0] = await freePorts(1);
    const args = ['--metrics-port', String(metricsPort)];
    startConsumer = () => startGantry({ role: 'consumer', dataDir, env, args });
    web = await startGantry({ role: 'web', dataDir, env });
    stack.defer(() => web.stop().then());
    consumer = await startConsumer();
    stack.defer(() => consumer.stop().then());
    const running = await startPrometheus({
      ...(await hastyRules()),
      'prometheus.yml': await configuration({
        web: new URL(web.url).host,
        consumer: `127.0.0.1:${metricsPort}`,
        rabbitmq: new URL(rabbit.metricsUrl).host,
      }),
    });
    stack.defer(() => running.dispose());
    prometheus = running;
  });
  after(() => stack.disposeAsync());

  const alertNamed = async (name: string) =>
    (await prometheus.alerts()).find(({ labels }) => labels.alertname === name);
  const fires = (name: string): Promise<void> =>
    eventually(async () => {
      const alert = await alertNamed(name);
      return alert?.state === 'firing' ? '' : `${name} is ${alert?.state ?? 'inactive'}`;
    }, 60_000);

  test('every panel has something to show, and nothing fires', async () => {
    const titles = dashboardExpressions().map(({ where }) => where);
    for (const title of quiet) assert.ok(titles.includes(title), title);
    const empty = async (): Promise<string> => {
      // A rate needs a count before and after.
      await ended(web.url, await accepted(web.url, 'cats/chelsea.png'));
      const without = [];
      for (const { where, expr } of dashboardExpressions())
        if (
          !quiet.includes(where) &&
          (await prometheus.count(expr.replaceAll('$namespace', 'compose'))) === 0
        )
          without.push(where);
      return without.length === 0 ? '' : `nothing in ${without}`;
    };
    await eventually(empty, 120_000);
    await eventually(
      async () => (await prometheus.alerts()).map(({ labels }) => labels.alertname).join(),
      60_000,
    );
  });

  test('alerts come and go with consumer and web server, and say what they saw', async () => {
    await consumer.stop();
    await accepted(web.url, 'cats/chelsea.png');
    await fires('GantryNoConsumer');
    assert.match(
      (await alertNamed('GantryNoConsumer'))?.annotations.description ?? '',
      /^1 images in compose /,
    );
    consumer = await startConsumer();
    await eventually(
      async () => (await prometheus.alerts()).map(({ labels }) => labels.alertname).join(),
      60_000,
    );

    await web.stop();
    await fires('GantryNoWebServer');
    const { description } = (await alertNamed('GantryNoWebServer'))?.annotations ?? {};
    assert.match(description ?? '', /^No web server in compose answers/);
  });
});
