import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { type KubernetesObject, parseObjects } from '../../scripts/charts/helm.ts';
import { containersOf, field, find, names, podOf, podsOf, render, renderAll } from './render.ts';

const secretsIn = (objects: KubernetesObject[]): string[] =>
  names(objects).filter((name) => name.startsWith('Secret/'));

const keeps = (object: KubernetesObject): boolean =>
  object.metadata.annotations?.['helm.sh/resource-policy'] === 'keep';

test('a Secret that is there already is mounted, and none is made', async () => {
  const rabbitmq = await render('rabbitmq-chart', { existingSecret: 'mq' });
  assert.deepEqual(secretsIn(rabbitmq), []);
  const { volumes = [] } = podOf(rabbitmq, 'StatefulSet/rabbitmq');
  assert.ok(volumes.some(({ secret }) => secret?.secretName === 'mq'));

  const all = await render('gantry', {
    rabbitmq: { existingSecret: 'mq' },
    'web-server': { rabbitmq: { existingSecret: 'mq' } },
    consumer: { rabbitmq: { existingSecret: 'mq' } },
  });
  assert.deepEqual(secretsIn(all), []);
  for (const { owner, spec } of podsOf(all)) {
    const secrets = (spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []);
    assert.ok(
      secrets.every((name) => name === 'mq'),
      `${owner}: ${secrets}`,
    );
  }
});

test('generated passwords are long, and never the same twice', async () => {
  const passwords = new Set<string>();
  for (let time = 0; time < 3; time += 1) {
    const secret = find(await render('rabbitmq-chart'), 'Secret/rabbitmq-credentials');
    const data = field<Record<string, string>>(secret, 'data') ?? {};
    const decoded = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
    assert.equal(decoded('username'), 'gantry');
    assert.match(decoded('password'), /^[A-Za-z0-9]{24,}$/);
    assert.match(decoded('erlang-cookie'), /^[A-Za-z0-9]{24,}$/);
    passwords.add(decoded('password')).add(decoded('erlang-cookie'));
  }
  assert.equal(passwords.size, 6);
});

test('the URL of the database in its Secret carries the password of the same Secret', async () => {
  const objects = await render('gantry', { postgresql: { enabled: true } });
  const data = field<Record<string, string>>(find(objects, 'Secret/postgresql-credentials'), 'data') ?? {};
  const decoded = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  const url = new URL(decoded('url'));
  assert.equal(url.hostname, 'postgresql');
  assert.equal(url.username, decoded('username'));
  assert.equal(url.password, decoded('password'));
  assert.ok(url.password.length >= 24);
});

test('what a Secret holds stands nowhere else, neither in clear nor in base64', async () => {
  for (const { name, objects } of await renderAll()) {
    const elsewhere = JSON.stringify(objects.filter(({ kind }) => kind !== 'Secret'));
    for (const secret of objects.filter(({ kind }) => kind === 'Secret')) {
      assert.equal(
        field(secret, 'stringData'),
        undefined,
        'data only: stringData shows in `helm get manifest`',
      );
      for (const [key, value] of Object.entries(field<Record<string, string>>(secret, 'data') ?? {})) {
        if (key === 'username') continue;
        assert.ok(value.length > 20, `${name}: ${key}`);
        assert.ok(!elsewhere.includes(value), `${name}: ${key} in base64`);
        assert.ok(!elsewhere.includes(Buffer.from(value, 'base64').toString()), `${name}: ${key} in clear`);
      }
    }
  }
});

test('passwords and keys come to pods as files or references to Secrets, never as values', async () => {
  for (const { name, objects } of await renderAll()) {
    for (const { owner, spec } of podsOf(objects)) {
      for (const { env = [] } of containersOf(spec)) {
        for (const { name: variable, value, valueFrom } of env) {
          // Variables are seen by every child process; only what cannot read a file gets one.
          if (valueFrom?.secretKeyRef)
            assert.match(variable, /^(AWS_.*|POSTGRES_PASSWORD)$/, `${name}: ${owner}`);
          if (!/PASSWORD|SECRET|TOKEN|_KEY$/.test(variable) || variable.endsWith('_FILE')) continue;
          assert.equal(value, undefined, `${name}: ${owner}: ${variable}`);
        }
      }
    }
  }
});

test('keys of S3 come from the Secret that is named, or from the pod itself', async () => {
  for (const [chart, owner] of [
    ['web-server-chart', 'Deployment/web-server'],
    ['consumer-chart', 'Deployment/consumer'],
  ] as const) {
    const variables = async (s3: object): Promise<string[]> => {
      const [container] = podOf(await render(chart, { s3 }), owner).containers;
      return (container?.env ?? [])
        .filter(({ name }) => name.startsWith('AWS_'))
        .map(({ name, valueFrom }) => `${name} ${valueFrom?.secretKeyRef?.name}`);
    };
    const url = 's3://pictures';
    assert.deepEqual(await variables({ url }), [], owner);
    assert.deepEqual(await variables({ url, existingSecret: 'keys' }), [
      'AWS_ACCESS_KEY_ID keys',
      'AWS_SECRET_ACCESS_KEY keys',
    ]);
  }
});

test('claims and Secrets outlive the release by default, and go with it if told so', async () => {
  const lasting = [
    { chart: 'rabbitmq-chart', path: ['persistence'] },
    { chart: 'web-server-chart', path: ['persistence', 'images'] },
    { chart: 'web-server-chart', path: ['persistence', 'database'] },
    { chart: 'gantry/charts/postgresql', path: ['persistence'] },
  ];
  const isData = ({ kind }: KubernetesObject): boolean => /^(Secret|PersistentVolumeClaim)$/.test(kind);
  for (const { chart, path } of lasting) {
    const kept = (await render(chart)).filter(isData);
    assert.ok(kept.length > 0);
    assert.deepEqual(names(kept.filter(keeps)), names(kept), chart);
    const values = path.reduceRight<object>((inner, key) => ({ [key]: inner }), { keep: false });
    const released = (await render(chart, values)).filter((object) => isData(object) && !keeps(object));
    assert.ok(released.length > 0, `${chart} ${path.join('.')}`);
  }
  const volatile = await render('web-server-chart', {
    persistence: { images: { keep: false }, database: { keep: false } },
  });
  assert.deepEqual(names(volatile.filter(keeps)), []);
});

test('deploy/external-secrets.yaml makes each Secret that its values name, with the keys that pods read', async () => {
  const file = new URL('../../deploy/external-secrets.yaml', import.meta.url);
  const made = new Map(
    parseObjects(readFileSync(file, 'utf8'))
      .filter(({ kind }) => kind === 'ExternalSecret')
      .map(({ spec }) => {
        const { target, data } = spec as { target: { name: string }; data: { secretKey: string }[] };
        return [target.name, data.map(({ secretKey }) => secretKey)] as const;
      }),
  );
  const rabbitmq = { existingSecret: 'gantry-rabbitmq' };
  const s3 = { url: 's3://pictures', existingSecret: 'gantry-s3' };
  const database = { url: 'postgres://db.example.com/gantry', existingSecret: 'gantry-database' };
  const objects = await render('gantry', {
    rabbitmq,
    'web-server': { rabbitmq, s3, database },
    consumer: { rabbitmq, s3 },
  });
  assert.deepEqual(secretsIn(objects), []);
  const pods = podsOf(objects);
  const named = pods.flatMap(({ spec }) => [
    ...(spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? []),
    ...containersOf(spec).flatMap(({ env = [] }) =>
      env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef?.name ?? []),
    ),
  ]);
  assert.deepEqual([...new Set(named)].sort(), [...made.keys()].sort());
  // A variable ends in the path of a file, and that in the Secret's key.
  const keysOf = (variable: RegExp): string[] =>
    pods.flatMap(({ spec }) =>
      containersOf(spec).flatMap(({ env = [] }) =>
        env.filter(({ name }) => variable.test(name)).map(({ value }) => value?.split('/').at(-1) ?? ''),
      ),
    );
  for (const [variable, secret] of [
    [/^GANTRY_AMQP_(USERNAME|PASSWORD)_FILE$/, 'gantry-rabbitmq'],
    [/^GANTRY_DATABASE_(USERNAME|PASSWORD)_FILE$/, 'gantry-database'],
  ] as const) {
    assert.ok(keysOf(variable).length >= 2, secret);
    for (const key of keysOf(variable)) assert.ok(made.get(secret)?.includes(key), `${secret}: ${key}`);
  }
  assert.deepEqual(made.get('gantry-s3'), ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']);
});
