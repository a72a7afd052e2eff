import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { allCharts } from '../../scripts/charts/charts.ts';
import { refusal, render } from './render.ts';

test('two web servers on SQLite are refused, with PostgreSQL they are not', async () => {
  const message = await refusal('web-server-chart', { replicaCount: 2 });
  assert.match(message, /replicaCount 2 needs PostgreSQL/);
  assert.match(message, /database\.existingSecret/);
  await render('web-server-chart', { replicaCount: 2, database: { existingSecret: 'db' } });
});

test('a database URL without a Secret, and credentials in a URL, are refused', async () => {
  const url = 'postgres://db.example.com/gantry';
  assert.match(await refusal('web-server-chart', { database: { url } }), /database\.existingSecret/);
  const withPassword = 'postgres://gantry:hunter2@db.example.com/gantry';
  const database = { url: withPassword, existingSecret: 'db' };
  assert.match(await refusal('web-server-chart', { database }), /credentials do not belong/);
  const everywhere: [name: string, values: object][] = [
    ['rabbitmq.url', { rabbitmq: { url: 'amqp://gantry:hunter2@mq/' } }],
    ['s3.url', { s3: { url: 's3://gantry:hunter2@pictures' } }],
    ['s3.endpoint', { s3: { url: 's3://pictures', endpoint: 'http://gantry:hunter2@minio:9000' } }],
    ['config.otlpUrl', { config: { otlpUrl: 'http://gantry:hunter2@collector:4318' } }],
    ['test.url', { test: { url: 'http://gantry:hunter2@web-server:5000' } }],
  ];
  const ofConsumer: typeof everywhere = [
    ['keda.managementUrl', { keda: { enabled: true, managementUrl: 'http://gantry:hunter2@mq:15672' } }],
  ];
  for (const [chart, cases] of [
    ['web-server-chart', everywhere],
    ['consumer-chart', [...everywhere, ...ofConsumer]],
  ] as const) {
    for (const [name, values] of cases) {
      const message = await refusal(chart, values);
      assert.ok(message.includes(`credentials do not belong into ${name},`), `${chart} ${name}: ${message}`);
      assert.doesNotMatch(message, /hunter2/);
    }
  }
});

test('two autoscalers at once are refused', async () => {
  const message = await refusal('consumer-chart', {
    autoscaling: { enabled: true },
    keda: { enabled: true },
  });
  assert.match(message, /autoscaling\.enabled and keda\.enabled/);
});

test('a minimum above the maximum is refused', async () => {
  for (const scaler of ['autoscaling', 'keda']) {
    const values = { [scaler]: { enabled: true, minReplicas: 5, maxReplicas: 4 } };
    assert.match(await refusal('consumer-chart', values), /minReplicas 5 is above maxReplicas 4/);
  }
});

test('KEDA beside a broker elsewhere must be told where its management API is', async () => {
  const values = { keda: { enabled: true }, rabbitmq: { url: 'amqps://mq.example.com/gantry' } };
  assert.match(await refusal('consumer-chart', values), /keda\.managementUrl/);
});

test('RabbitMQ with an even number of nodes is refused', async () => {
  for (const replicas of [2, 4]) {
    const message = await refusal('rabbitmq-chart', { replicas });
    assert.match(message, /replicas/);
    assert.match(message, /odd|1.*3.*5/);
  }
});

test('one claim for several nodes of RabbitMQ is refused', async () => {
  const values = { replicas: 3, persistence: { existingClaim: 'mq-data' } };
  assert.match(await refusal('rabbitmq-chart', values), /persistence\.existingClaim/);
});

const umbrellaOf = {
  'rabbitmq-chart': 'rabbitmq',
  'web-server-chart': 'web-server',
  'consumer-chart': 'consumer',
};

for (const [chart, alias] of Object.entries(umbrellaOf)) {
  test(`${chart} refuses a value that it does not know, at the top and further in, alone and in the umbrella`, async () => {
    for (const values of [{ replicaCont: 2 }, { image: { tga: 'latest' } }, { resources: { limit: {} } }]) {
      const unknown = /replicaCont|tga|limit/;
      assert.match(await refusal(chart, values), unknown);
      assert.match(await refusal('gantry', { [alias]: values }), unknown);
    }
  });

  test(`${chart} refuses values of a wrong type`, async () => {
    for (const values of [
      { fullnameOverride: 5 },
      { image: 'gantry:latest' },
      { image: { pullPolicy: 'Sometimes' } },
      { resources: { limits: { memory: true } } },
      { nodeSelector: ['a'] },
      { tolerations: {} },
      { terminationGracePeriodSeconds: '100' },
      { [chart === 'rabbitmq-chart' ? 'replicas' : 'replicaCount']: '1' },
    ]) {
      assert.match(await refusal(chart, values), /schema|don't meet/);
    }
  });
}

test('the umbrella refuses a part that it does not have', async () => {
  assert.match(await refusal('gantry', { webServer: { replicaCount: 1 } }), /webServer/);
  assert.match(await refusal('gantry', { postgresql: { enabled: true, siez: '8Gi' } }), /siez/);
});

test('the umbrella refuses parts that would wait for each other for ever', async () => {
  const own = { existingSecret: 'mq' };
  assert.match(await refusal('gantry', { rabbitmq: own }), /web-server\.rabbitmq\.existingSecret/);
  assert.match(
    await refusal('gantry', { rabbitmq: own, 'web-server': { rabbitmq: own } }),
    /consumer\.rabbitmq\.existingSecret is rabbitmq-credentials, but RabbitMQ's Secret is mq/,
  );
  const both = { 'web-server': { rabbitmq: own }, consumer: { rabbitmq: own } };
  await render('gantry', { rabbitmq: own, ...both });
  const named = { fullnameOverride: 'mq', existingSecret: 'mq' };
  assert.match(await refusal('gantry', { rabbitmq: named, ...both }), /rabbitmq\.host is rabbitmq/);
  const database = { enabled: true, existingSecret: 'db' };
  assert.match(await refusal('gantry', { postgresql: database }), /PostgreSQL's Secret is db/);
  await render('gantry', { postgresql: database, 'web-server': { database: { existingSecret: 'db' } } });
});

type Schema = { properties?: Record<string, Schema>; items?: Schema; additionalProperties?: unknown };

const openMaps = (schema: Schema, path: string): string[] => [
  ...(schema.properties && schema.additionalProperties !== false ? [path] : []),
  ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => openMaps(inner, `${path}.${key}`)),
  ...(schema.items ? openMaps(schema.items, `${path}[]`) : []),
];

test('no schema lists the values of a map and takes others all the same', () => {
  for (const { name, folder, type } of allCharts()) {
    if (type === 'library') continue;
    const schema: Schema = JSON.parse(readFileSync(join(folder, 'values.schema.json'), 'utf8'));
    assert.deepEqual(openMaps(schema, name), []);
  }
});
