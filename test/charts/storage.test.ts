import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubernetesObject } from '../../scripts/charts/helm.ts';
import { field, find, names, podOf, render } from './render.ts';

const claimsIn = (objects: KubernetesObject[]): string[] =>
  names(objects).filter((name) => name.startsWith('PersistentVolumeClaim/'));

const claimsMounted = (objects: KubernetesObject[], owner: string): (string | undefined)[] =>
  (podOf(objects, owner).volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim ? [persistentVolumeClaim.claimName] : [],
  );

test('by default images and SQLite lie on a claim each', async () => {
  const objects = await render('web-server-chart');
  assert.deepEqual(claimsIn(objects), [
    'PersistentVolumeClaim/web-server-db-pvc',
    'PersistentVolumeClaim/web-server-pvc',
  ]);
  assert.deepEqual(claimsMounted(objects, 'Deployment/web-server').sort(), [
    'web-server-db-pvc',
    'web-server-pvc',
  ]);
  const { volumeMounts = [] } = podOf(objects, 'Deployment/web-server').containers[0] ?? {};
  const paths = volumeMounts.map(({ mountPath }) => mountPath);
  assert.ok(paths.includes('/data/images') && paths.includes('/data/db'), paths.join(' '));
});

test('with S3 nobody has a claim of images', async () => {
  const s3 = { url: 's3://pictures' };
  const web = await render('web-server-chart', { s3 });
  assert.deepEqual(claimsIn(web), ['PersistentVolumeClaim/web-server-db-pvc']);
  assert.deepEqual(claimsMounted(web, 'Deployment/web-server'), ['web-server-db-pvc']);
  assert.deepEqual(claimsMounted(await render('consumer-chart', { s3 }), 'Deployment/consumer'), []);
});

test('with PostgreSQL there is no claim of a database, and no gap between two versions', async () => {
  const strategy = (objects: KubernetesObject[]): unknown =>
    field(find(objects, 'Deployment/web-server'), 'spec.strategy.type');
  const sqlite = await render('web-server-chart');
  assert.equal(strategy(sqlite), 'Recreate');
  const postgresql = await render('web-server-chart', { database: { existingSecret: 'db' } });
  assert.equal(strategy(postgresql), 'RollingUpdate');
  assert.deepEqual(claimsIn(postgresql), ['PersistentVolumeClaim/web-server-pvc']);
  assert.deepEqual(claimsMounted(postgresql, 'Deployment/web-server'), ['web-server-pvc']);
});

test('claims that are there already are mounted, and none is made', async () => {
  const persistence = { images: { existingClaim: 'pictures' }, database: { existingClaim: 'results' } };
  const web = await render('web-server-chart', { persistence });
  assert.deepEqual(claimsIn(web), []);
  assert.deepEqual(claimsMounted(web, 'Deployment/web-server').sort(), ['pictures', 'results']);
  const rabbitmq = await render('rabbitmq-chart', { persistence: { existingClaim: 'queues' } });
  assert.deepEqual(claimsIn(rabbitmq), []);
  assert.deepEqual(claimsMounted(rabbitmq, 'StatefulSet/rabbitmq'), ['queues']);
});

test('a storage class is named only if it is set', async () => {
  const classOf = async (persistence: object): Promise<unknown> => {
    const objects = await render('web-server-chart', { persistence: { images: persistence } });
    return field(find(objects, 'PersistentVolumeClaim/web-server-pvc'), 'spec.storageClassName');
  };
  assert.equal(await classOf({}), undefined);
  assert.equal(await classOf({ storageClass: 'fast' }), 'fast');
});

test('the consumer can only read: images, credentials, certificates', async () => {
  const objects = await render('consumer-chart', { rabbitmq: { caSecret: 'mq-ca' } });
  const { containers, volumes = [] } = podOf(objects, 'Deployment/consumer');
  const [container] = containers;
  const writable = (container?.volumeMounts ?? []).filter(({ readOnly }) => readOnly !== true);
  assert.deepEqual(
    writable.map(({ mountPath }) => mountPath),
    ['/tmp'],
  );
  const images = volumes.find(({ persistentVolumeClaim }) => persistentVolumeClaim);
  assert.equal(images?.persistentVolumeClaim?.readOnly, true);
});

test('postgresql.enabled alone gives the web server its database', async () => {
  const objects = await render('gantry', { postgresql: { enabled: true } });
  const { volumes = [] } = podOf(objects, 'Deployment/web-server');
  assert.ok(volumes.some(({ secret }) => secret?.secretName === 'postgresql-credentials'));
  assert.ok(!claimsIn(objects).includes('PersistentVolumeClaim/web-server-db-pvc'));
  const without = await render('gantry');
  assert.ok(!JSON.stringify(without).includes('postgresql'));
});

test('a database that the web server was given is stronger than postgresql.enabled', async () => {
  const objects = await render('gantry', {
    postgresql: { enabled: true },
    'web-server': { database: { existingSecret: 'elsewhere' } },
  });
  const { volumes = [] } = podOf(objects, 'Deployment/web-server');
  assert.deepEqual(
    volumes
      .flatMap(({ secret }) => secret?.secretName ?? [])
      .filter((name) => name !== 'rabbitmq-credentials'),
    ['elsewhere'],
  );
});
