import assert from 'node:assert/strict';
import test from 'node:test';
import { field, find, names, render } from './render.ts';

const replicasOf = async (values: object): Promise<unknown> =>
  field(find(await render('consumer-chart', values), 'Deployment/consumer'), 'spec.replicas');

test('replicas are the chart’s unless an autoscaler sets them', async () => {
  assert.equal(await replicasOf({}), 1);
  assert.equal(await replicasOf({ replicaCount: 0 }), 0);
  assert.equal(await replicasOf({ replicaCount: 7, autoscaling: { enabled: true } }), undefined);
  assert.equal(await replicasOf({ replicaCount: 7, keda: { enabled: true } }), undefined);
});

test('there is an autoscaler only if it is asked for', async () => {
  const scalers = async (values: object): Promise<string[]> =>
    names(await render('consumer-chart', values)).filter((name) => /^(Horizontal|Scaled|Trigger)/.test(name));
  assert.deepEqual(await scalers({}), []);
  assert.deepEqual(await scalers({ autoscaling: { enabled: true } }), ['HorizontalPodAutoscaler/consumer']);
  assert.deepEqual(await scalers({ keda: { enabled: true } }), [
    'ScaledObject/consumer',
    'TriggerAuthentication/consumer',
  ]);
});

test('the HorizontalPodAutoscaler aims at the Deployment’s processor load', async () => {
  const autoscaling = { enabled: true, minReplicas: 2, maxReplicas: 9, targetCPUUtilizationPercentage: 55 };
  const scaler = find(await render('consumer-chart', { autoscaling }), 'HorizontalPodAutoscaler/consumer');
  assert.deepEqual(scaler.spec, {
    scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'consumer' },
    minReplicas: 2,
    maxReplicas: 9,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 55 } },
      },
    ],
  });
});

test('KEDA follows the queue, images at work included, down to nothing', async () => {
  const keda = { enabled: true, queueLength: 500, maxReplicas: 50 };
  const objects = await render('consumer-chart', { keda }, { namespace: 'imaging' });
  const scaled = find(objects, 'ScaledObject/consumer');
  assert.equal(field(scaled, 'spec.minReplicaCount'), 0);
  assert.equal(field(scaled, 'spec.maxReplicaCount'), 50);
  const [trigger] = field<{ metadata: Record<string, string> }[]>(scaled, 'spec.triggers') ?? [];
  assert.equal(trigger?.metadata.protocol, 'http');
  assert.equal(trigger?.metadata.queueName, 'images');
  assert.equal(trigger?.metadata.value, '500');
  assert.equal(trigger?.metadata.excludeUnacknowledged, undefined);
  // The operator lives in a namespace of its own.
  assert.equal(trigger?.metadata.host, 'http://rabbitmq.imaging:15672');
  const authentication = find(objects, 'TriggerAuthentication/consumer');
  assert.deepEqual(field(authentication, 'spec.secretTargetRef'), [
    { parameter: 'username', name: 'rabbitmq-credentials', key: 'username' },
    { parameter: 'password', name: 'rabbitmq-credentials', key: 'password' },
  ]);
});

test('drains are let through whatever the number of replicas', async () => {
  for (const chart of ['rabbitmq-chart', 'web-server-chart', 'consumer-chart', 'gantry/charts/postgresql']) {
    const budgets = (await render(chart)).filter(({ kind }) => kind === 'PodDisruptionBudget');
    assert.equal(budgets.length, 1, chart);
    for (const budget of budgets) {
      assert.equal(field(budget, 'spec.maxUnavailable'), 1);
      assert.equal(field(budget, 'spec.minAvailable'), undefined);
    }
    const without = await render(chart, { podDisruptionBudget: { enabled: false } });
    assert.deepEqual(names(without.filter(({ kind }) => kind === 'PodDisruptionBudget')), []);
  }
});

test('three nodes of RabbitMQ have a claim each, know each other and change one at a time', async () => {
  const objects = await render('rabbitmq-chart', { replicas: 3 });
  assert.ok(!names(objects).includes('PersistentVolumeClaim/rabbitmq-pvc'));
  const nodes = find(objects, 'StatefulSet/rabbitmq');
  assert.equal(field(nodes, 'spec.replicas'), 3);
  assert.equal(field<unknown[]>(nodes, 'spec.volumeClaimTemplates')?.length, 1);
  const config =
    field<Record<string, string>>(find(objects, 'ConfigMap/rabbitmq'), 'data')?.['rabbitmq.conf'] ?? '';
  for (const node of [0, 1, 2]) {
    assert.match(config, new RegExp(`= rabbit@rabbitmq-${node}\\.rabbitmq-nodes\\.gantry\\.svc`));
  }
});
