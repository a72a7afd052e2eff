import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubernetesObject } from '../../scripts/charts/helm.ts';
import { kedaProblems } from '../../scripts/charts/keda.ts';
import { schemaProblems } from '../../scripts/charts/schemas.ts';
import { find, render } from './render.ts';

type Spec = {
  minReplicaCount: number | null;
  maxReplicaCount: number;
  idleReplicaCount?: number;
  scaleTargetRef: { name: string };
  triggers: { type: string; metadata: Record<string, unknown>; authenticationRef: { name: string } }[];
  secretTargetRef: { parameter: string }[];
};

const rendered = await render('consumer-chart', { keda: { enabled: true } });

/** The rendering with one thing changed in its ScaledObject or TriggerAuthentication. */
const changed = (
  change: (spec: Spec, trigger: Spec['triggers'][number]) => void,
  kind = 'ScaledObject',
): KubernetesObject[] => {
  const objects = structuredClone(rendered);
  const spec = find(objects, `${kind}/consumer`).spec as Spec;
  change(spec, spec.triggers?.[0] ?? { type: '', metadata: {}, authenticationRef: { name: '' } });
  return objects;
};

test('the chart’s own ScaledObject is right', async () => {
  assert.deepEqual(kedaProblems(rendered), []);
  assert.deepEqual((await schemaProblems(rendered, ['1.35'])).flat(), []);
});

const wrong: [string, KubernetesObject[], RegExp][] = [
  [
    'AMQP',
    changed((_, { metadata }) => Object.assign(metadata, { protocol: 'amqp' })),
    /protocol must be http/,
  ],
  [
    'a misspelt name',
    changed((_, { metadata }) => Object.assign(metadata, { activationVale: '1' })),
    /activationVale/,
  ],
  ['another mode', changed((_, { metadata }) => Object.assign(metadata, { mode: 'MessageRate' })), /mode/],
  ['no target value', changed((_, { metadata }) => Object.assign(metadata, { value: '0' })), /value must/],
  [
    'no host',
    changed((_, { metadata }) => {
      delete metadata.host;
    }),
    /without host/,
  ],
  [
    'a host of AMQP',
    changed((_, { metadata }) => Object.assign(metadata, { host: 'amqp://mq' })),
    /management API/,
  ],
  [
    'credentials in the host',
    changed((_, { metadata }) => Object.assign(metadata, { host: 'http://a:b@mq:15672' })),
    /holds credentials/,
  ],
  [
    'another Secret',
    changed((_, trigger) => Object.assign(trigger.authenticationRef, { name: 'x' })),
    /authenticationRef x/,
  ],
  ['no password', changed((spec) => spec.secretTargetRef.pop(), 'TriggerAuthentication'), /given together/],
  [
    'an unknown parameter',
    changed((spec) => spec.secretTargetRef.push({ parameter: 'pasword' }), 'TriggerAuthentication'),
    /pasword/,
  ],
  [
    'a minimum above the maximum',
    changed((spec) => Object.assign(spec, { minReplicaCount: 99 })),
    /minReplicaCount/,
  ],
  [
    'idle replicas above none',
    changed((spec) => Object.assign(spec, { idleReplicaCount: 0 })),
    /idleReplicaCount/,
  ],
  [
    'another target',
    changed((spec) => Object.assign(spec.scaleTargetRef, { name: 'x' })),
    /scaleTargetRef Deployment\/x/,
  ],
];
for (const [what, objects, problem] of wrong) {
  test(`what KEDA's schema lets pass is found: ${what}`, () => {
    const problems = kedaProblems(objects);
    assert.equal(problems.length, 1, problems.join('; '));
    assert.match(problems[0] ?? '', problem);
  });
}

test('KEDA’s schema refuses unknown fields, null and numbers where text belongs', async () => {
  const cases: [KubernetesObject[], RegExp][] = [
    [changed((spec) => Object.assign(spec, { maxReplicas: 5 })), /maxReplicas/],
    [changed((spec) => Object.assign(spec, { minReplicaCount: null })), /minReplicaCount/],
    [changed((_, { metadata }) => Object.assign(metadata, { value: 5 })), /metadata\.value/],
  ];
  const problems = await schemaProblems(
    cases.map(([objects]) => find(objects, 'ScaledObject/consumer')),
    ['1.35'],
  );
  for (const [index, [, expected]] of cases.entries()) {
    assert.equal(problems[index]?.length, 1);
    assert.match(problems[index]?.[0] ?? '', /^KEDA 2\.\d+: /);
    assert.match(problems[index]?.[0] ?? '', expected);
  }
});
