import assert from 'node:assert/strict';
import test from 'node:test';
import { type KubernetesObject, parseObjects } from '../../scripts/charts/helm.ts';
import { compareWith, type Finding, scan } from '../../scripts/charts/scan.ts';
import { schemaProblems } from '../../scripts/charts/schemas.ts';
import { find, podOf, render } from './render.ts';

const rendered = await render('web-server-chart');

test('Kubernetes’ schemas find unknown fields, wrong types and kinds that a version lacks', async () => {
  const deployment = structuredClone(find(rendered, 'Deployment/web-server'));
  Object.assign(podOf([deployment], 'Deployment/web-server').containers[0]?.livenessProbe ?? {}, { prot: 1 });
  const service = structuredClone(find(rendered, 'Service/web-server'));
  Object.assign(service.spec as object, { type: 5 });
  const old: KubernetesObject = {
    apiVersion: 'autoscaling/v2beta2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'old' },
  };
  const problems = await schemaProblems([deployment, service, old], ['1.29', '1.35']);
  assert.match(problems[0]?.join() ?? '', /^Kubernetes 1\.29 to 1\.35: spec\.template\..*'prot'/);
  assert.match(problems[1]?.join() ?? '', /spec\.type: 5 is not of type/);
  assert.match(problems[2]?.join() ?? '', /has no HorizontalPodAutoscaler of autoscaling\/v2beta2/);
  assert.deepEqual(
    await schemaProblems(rendered, ['1.29', '1.35']),
    rendered.map(() => []),
  );
});

test('the scan finds what a container is not kept from', async () => {
  const objects = structuredClone(rendered);
  const { containers } = podOf(objects, 'Deployment/web-server');
  Object.assign(containers[0]?.securityContext ?? {}, { privileged: true });
  const findings = await scan([
    { name: 'before', objects: rendered },
    { name: 'after', objects },
  ]);
  const before = findings.filter(({ rendering }) => rendering === 'before').map(({ check }) => check);
  assert.deepEqual(
    findings.filter(({ check }) => !before.includes(check)).map(({ advice: _, ...finding }) => finding),
    [{ rendering: 'after', object: 'Deployment/web-server', check: 'CKV_K8S_16' }],
  );
});

test('an exception explains one check of one object, and must explain something', () => {
  const finding = (check: string, object: string): Finding => ({
    rendering: 'one',
    object,
    check,
    advice: '',
  });
  const findings = [finding('A', 'Pod/a'), finding('A', 'Pod/b'), finding('B', 'Pod/a')];
  const { unexplained, unneeded } = compareWith(
    [
      { check: 'A', objects: ['Pod/a'], reason: '' },
      { check: 'B', objects: ['Pod/a', 'Pod/b'], reason: '' },
    ],
    findings,
  );
  assert.deepEqual(unexplained, [finding('A', 'Pod/b')]);
  assert.deepEqual(unneeded, ['B for Pod/b']);
});

test('YAML is read as Kubernetes reads it', () => {
  const [object] = parseObjects('apiVersion: v1\nkind: A\nmetadata: {name: a}\nmode: 0440\n---\n---\n');
  assert.equal(object?.mode, 0o440);
  assert.throws(() => parseObjects('a: 1\na: 2\n'), { code: 'NOT_YAML' });
});
