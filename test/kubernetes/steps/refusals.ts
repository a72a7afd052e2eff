import assert from 'node:assert/strict';
import type { Step } from '../session.ts';

const refusals: readonly (readonly [chart: string, values: readonly string[], message: RegExp])[] = [
  ['web-server-chart', ['replicaCount=2'], /PostgreSQL/],
  [
    'consumer-chart',
    ['autoscaling.enabled=true', 'keda.enabled=true'],
    /autoscaling\.enabled and keda\.enabled/,
  ],
  ['rabbitmq-chart', ['replicas=2'], /odd number/],
  ['gantry', ['web-server.replicaCount=2'], /PostgreSQL/],
  ['consumer-chart', ['replicaCuont=2'], /replicaCuont/],
];

export const refused: Step = {
  name: 'contradictions and unknown values are refused with a message',
  async run({ namespace }) {
    for (const [chart, values, message] of refusals) {
      const set = values.flatMap((value) => ['--set', value]);
      const { code, err } = await namespace.tryHelm('install', 'refused', `./charts/${chart}`, ...set);
      const what = `${chart} with ${values.join(', ')}`;
      assert.notEqual(code, 0, `${what} was installed`);
      assert.match(err, message, `${what} was refused without saying why`);
    }
    assert.doesNotMatch(await namespace.helm('list', '--short'), /refused/);
  },
};
