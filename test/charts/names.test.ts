import assert from 'node:assert/strict';
import test from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { nameOf } from '../../scripts/charts/helm.ts';
import { field, find, names, podOf, render, renderAll } from './render.ts';

test('rabbitmq-chart makes the objects that others go by', async () => {
  const objects = await render('rabbitmq-chart');
  const all = names(objects);
  for (const name of [
    'Service/rabbitmq',
    'Service/rabbitmq-nodes',
    'StatefulSet/rabbitmq',
    'PersistentVolumeClaim/rabbitmq-pvc',
    'Secret/rabbitmq-credentials',
  ]) {
    assert.ok(all.includes(name), `${name} is not among ${all}`);
  }
  const ports = field<{ name: string; port: number }[]>(find(objects, 'Service/rabbitmq'), 'spec.ports');
  assert.deepEqual(
    ports?.map(({ name, port }) => [name, port]),
    [
      ['amqp', 5672],
      ['management', 15672],
      ['prometheus', 15692],
    ],
  );
  assert.equal(field(find(objects, 'Service/rabbitmq-nodes'), 'spec.clusterIP'), 'None');
  const data = field<object>(find(objects, 'Secret/rabbitmq-credentials'), 'data');
  assert.deepEqual(Object.keys(data ?? {}).sort(), ['erlang-cookie', 'password', 'username']);
  const [container] = podOf(objects, 'StatefulSet/rabbitmq').containers;
  assert.ok(container?.volumeMounts?.some(({ mountPath }) => mountPath === '/var/lib/rabbitmq'));
});

test('web-server-chart makes the objects that others go by', async () => {
  const objects = await render('web-server-chart');
  const all = names(objects);
  for (const name of [
    'Service/web-server',
    'Deployment/web-server',
    'PersistentVolumeClaim/web-server-pvc',
    'PersistentVolumeClaim/web-server-db-pvc',
  ]) {
    assert.ok(all.includes(name), `${name} is not among ${all}`);
  }
  const service = find(objects, 'Service/web-server');
  assert.equal(field(service, 'spec.type'), 'NodePort');
  assert.deepEqual(
    field<{ port: number }[]>(service, 'spec.ports')?.map(({ port }) => port),
    [5000],
  );
  const images = find(objects, 'PersistentVolumeClaim/web-server-pvc');
  assert.deepEqual(field(images, 'spec.accessModes'), ['ReadWriteMany']);
});

test('consumer-chart makes a Deployment called consumer, and waits for what the other two make', async () => {
  const objects = await render('consumer-chart');
  const { volumes = [] } = podOf(objects, 'Deployment/consumer');
  assert.deepEqual(
    volumes.flatMap(
      ({ persistentVolumeClaim, secret }) => persistentVolumeClaim?.claimName ?? secret?.secretName ?? [],
    ),
    ['web-server-pvc', 'rabbitmq-credentials'],
  );
  assert.deepEqual(
    names(objects).filter((name) => /^(Secret|PersistentVolumeClaim)\//.test(name)),
    [],
  );
});

test('postgresql makes the objects that others go by', async () => {
  const objects = await render('gantry', { postgresql: { enabled: true } });
  const all = names(objects);
  for (const name of [
    'Service/postgresql',
    'StatefulSet/postgresql',
    'PersistentVolumeClaim/postgresql-pvc',
    'Secret/postgresql-credentials',
  ]) {
    assert.ok(all.includes(name), `${name} is not among ${all}`);
  }
  const data = field<object>(find(objects, 'Secret/postgresql-credentials'), 'data');
  assert.deepEqual(Object.keys(data ?? {}).sort(), ['password', 'url', 'username']);
});

for (const chart of ['rabbitmq-chart', 'web-server-chart', 'consumer-chart', 'gantry']) {
  test(`${chart}: the release's name is in labels only, and fullnameOverride in every name`, async () => {
    const one = await render(chart, {}, { release: 'one' });
    assert.deepEqual(names(await render(chart, {}, { release: 'my-other' })), names(one));
    for (const object of one) {
      const { labels = {} } = object.metadata;
      assert.equal(labels['app.kubernetes.io/instance'], 'one', nameOf(object));
      assert.equal(labels['app.kubernetes.io/part-of'], 'gantry', nameOf(object));
    }
    if (chart === 'gantry') return;
    const renamed = await render(chart, { fullnameOverride: 'other' });
    for (const object of renamed)
      assert.equal(object.metadata.labels?.['app.kubernetes.io/name'], nameLabel(object));
  });
}

const nameLabel = ({ kind }: { kind: string }): string => (kind === 'Pod' ? 'other-test' : 'other');

test('the umbrella is the three charts together', async () => {
  const three = ['rabbitmq-chart', 'web-server-chart', 'consumer-chart'];
  const apart = (await Promise.all(three.map((chart) => render(chart)))).flat();
  assert.deepEqual(names(await render('gantry')), names(apart));
});

test('no two objects of a rendering have one name', async () => {
  for (const { name, objects } of await renderAll()) {
    assert.deepEqual(names(objects), [...new Set(names(objects))].sort(), name);
  }
});

test('the umbrella gives its image to web server and consumer, and to nothing else', async () => {
  const image = { repository: 'registry.example.com/gantry', tag: '9.9.9', pullPolicy: 'Always' };
  const objects = await render('gantry', { global: { image } });
  for (const owner of [
    'Deployment/web-server',
    'Deployment/consumer',
    'Pod/web-server-test',
    'Pod/consumer-test',
  ]) {
    const [container] = podOf(objects, owner).containers;
    assert.equal(container?.image, 'registry.example.com/gantry:9.9.9', owner);
  }
  assert.match(podOf(objects, 'StatefulSet/rabbitmq').containers[0]?.image ?? '', /^rabbitmq:/);
  const [byDefault] = podOf(await render('gantry'), 'Deployment/web-server').containers;
  assert.equal(byDefault?.image, `gantry:${manifest.version}`);
});
