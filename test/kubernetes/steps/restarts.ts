import assert from 'node:assert/strict';
import { openManagement } from '../management.ts';
import {
  allRolledOut,
  type Chart,
  charts,
  consumer,
  install,
  patience,
  podsOf,
  rabbitmq,
  rolledOut,
  scaleConsumer,
  upgrade,
  webServer,
} from '../releases.ts';
import { imageEnded, type Session, type Step } from '../session.ts';

/** Uploads a second that two cores take beside two nodes and the model. */
const rate = 3;
/** Messages that must have been waiting when RabbitMQ goes. */
const waiting = 15;

const everyPod: Step = {
  name: 'every pod deleted once',
  stream: rate,
  async run({ namespace }) {
    for (const { metadata } of await podsOf(namespace)) {
      await namespace.kubectl('delete', 'pod', metadata.name);
      await allRolledOut(namespace);
    }
  },
};

const nameOf = ({ workload }: Chart): string => workload.split('/')[1] ?? workload;
const uidsOf = async ({ namespace }: Session, chart: Chart): Promise<string[]> =>
  (await podsOf(namespace, nameOf(chart))).map(({ metadata }) => metadata.uid);

const changes: readonly (readonly [Chart, string])[] = [
  [rabbitmq, 'diskFreeLimit=513MB'],
  [webServer, 'config.maxFileBytes=40MB'],
  [consumer, 'config.maxBatch=2'],
];

const upgrades: Step = {
  name: 'helm upgrade of each chart with a value changed',
  stream: rate,
  async run(session) {
    const { namespace } = session;
    const secret = await namespace.get('secret', 'rabbitmq-credentials');
    for (const [chart, change] of changes) {
      const before = await uidsOf(session, chart);
      await upgrade(session, chart, '--set', change);
      await rolledOut(namespace, chart.workload);
      const after = await uidsOf(session, chart);
      assert.ok(!after.some((uid) => before.includes(uid)), `${chart.workload} took no notice of ${change}`);
    }
    const now = await namespace.get('secret', 'rabbitmq-credentials');
    assert.deepEqual(dataOf(now), dataOf(secret), 'an upgrade changed the credentials');
  },
};

const dataOf = (secret: unknown): unknown => (secret as { data: unknown }).data;

const brokerAtOnce: Step = {
  name: 'RabbitMQ killed at once with messages waiting',
  stream: rate,
  async run(session) {
    const { namespace } = session;
    await scaleConsumer(session, 0);
    const held = async (): Promise<number> => {
      await using management = await openManagement(namespace);
      return await management.holds('images', waiting, 60_000);
    };
    const before = await held();
    await namespace.kubectl('delete', 'pod', 'rabbitmq-0', '--force', '--grace-period=0');
    await namespace.kubectl('wait', '--for=create', 'pod/rabbitmq-0', `--timeout=${patience}`);
    await namespace.kubectl('wait', '--for=condition=Ready', 'pod/rabbitmq-0', `--timeout=${patience}`);
    const after = await held();
    assert.ok(after >= before, `${before} messages waited before RabbitMQ was killed, ${after} after it`);
    await scaleConsumer(session, 1);
  },
};

const kept: Readonly<Record<string, readonly string[]>> = {
  'my-rabbitmq': ['pvc/rabbitmq-pvc', 'secret/rabbitmq-credentials'],
  'my-web-server': ['pvc/web-server-pvc', 'pvc/web-server-db-pvc'],
};

const again: Step = {
  name: 'helm uninstall and install of each chart, the data still there',
  stream: rate,
  async run(session) {
    const { namespace } = session;
    for (const chart of charts) {
      const objects = kept[chart.release] ?? [];
      const uids = (): Promise<string[]> =>
        Promise.all(
          objects.map((object) => namespace.kubectl('get', object, '--output', 'jsonpath={.metadata.uid}')),
        );
      const before = await uids();
      await namespace.helm('uninstall', chart.release, '--wait', '--timeout', '5m');
      assert.deepEqual(
        await uids(),
        before,
        `helm uninstall ${chart.release} took away ${objects.join(', ')}`,
      );
      await install(session, chart);
      await rolledOut(namespace, chart.workload);
      assert.deepEqual(await uids(), before);
    }
  },
};

const scaling: Step = {
  name: 'consumers 0, 3, 0, 1',
  stream: rate,
  async run(session) {
    for (const replicas of [0, 3, 0, 1]) {
      await scaleConsumer(session, replicas);
      assert.equal((await podsOf(session.namespace, 'consumer')).length >= replicas, true);
    }
  },
};

/** What KEDA does once it has seen a message, for which it looks every `pollingInterval`. */
const fromZero: Step = {
  name: 'from no consumer to a result',
  async run(session) {
    await scaleConsumer(session, 0);
    const { id } = await session.load.uploadOne();
    const began = Date.now();
    await scaleConsumer(session, 1);
    const { state, updatedAt } = await imageEnded(session, id);
    assert.equal(state, 'succeeded');
    session.say(`${((Date.parse(updatedAt) - began) / 1000).toFixed(1)} s from the scaling to the result`);
  },
};

export const restarts: readonly Step[] = [everyPod, upgrades, brokerAtOnce, again, scaling, fromZero];
