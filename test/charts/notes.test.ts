import assert from 'node:assert/strict';
import test from 'node:test';
import { casesOf, chartsIn } from '../../scripts/charts/charts.ts';
import { kubernetesProgram, runProgram } from '../../scripts/charts/programs.ts';
import { field, render } from './render.ts';

const notesOf = async (folder: string, file?: string): Promise<string> => {
  const { code, output, errors } = await runProgram(
    kubernetesProgram('helm'),
    [
      ...['install', 'my-release', folder, '--dry-run=client', '--namespace', 'imaging'],
      ...(file ? ['--values', file] : []),
    ],
    '',
    // No cluster is asked for anything.
    { KUBECONFIG: '/dev/null' },
  );
  assert.equal(code, 0, errors);
  return output.slice(output.indexOf('\nNOTES:'));
};

const charts = chartsIn().filter(({ type }) => type === 'application');

test('what is said after an installation names the namespace and the test, for every case', async () => {
  for (const chart of charts) {
    for (const { name, file } of casesOf(chart)) {
      const notes = await notesOf(chart.folder, file);
      assert.match(notes, /kubectl --namespace imaging /, `${chart.name} ${name}`);
      assert.match(notes, /helm test my-release --namespace imaging/, `${chart.name} ${name}`);
      assert.doesNotMatch(notes, /<no value>|<nil>|%!/, `${chart.name} ${name}`);
    }
  }
});

test('what is said after an installation says whether access is open, and how to read the key if not', async () => {
  for (const name of ['web-server-chart', 'gantry']) {
    const chart = charts.find((one) => one.name === name) ?? assert.fail(name);
    for (const trial of casesOf(chart)) {
      const notes = await notesOf(chart.folder, trial.file);
      if (trial.name !== 'keys') assert.match(notes, /Access is open.*[aA]piKeys\.enabled=true/, trial.name);
      else
        assert.match(
          notes,
          /Access needs an API key[\s\S]*get secret web-server-admin-key -o go-template='{{ \.data/,
        );
    }
  }
});

test('web server and consumer are tested by a picture, RabbitMQ by itself', async () => {
  for (const [chart, ...pods] of [
    ['rabbitmq-chart', 'rabbitmq-test'],
    ['web-server-chart', 'web-server-test'],
    ['consumer-chart', 'consumer-test'],
  ] as const) {
    const tests = (await render(chart)).filter(
      ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'test',
    );
    assert.deepEqual(
      tests.map(({ metadata }) => metadata.name),
      pods,
    );
    for (const pod of tests) {
      assert.equal(field(pod, 'spec.restartPolicy'), 'Never');
      assert.match(pod.metadata.annotations?.['helm.sh/hook-delete-policy'] ?? '', /before-hook-creation/);
      const [container] = field<{ args?: string[] }[]>(pod, 'spec.containers') ?? [];
      if (chart !== 'rabbitmq-chart') assert.deepEqual(container?.args?.slice(0, 2), ['gantry', 'canary']);
    }
  }
});

test('nothing but the tests is a hook: hooks are no part of the release, and stay behind', async () => {
  for (const { name } of charts) {
    for (const { kind, metadata } of await render(name)) {
      const hook = metadata.annotations?.['helm.sh/hook'];
      assert.ok(
        hook === undefined || (hook === 'test' && kind === 'Pod'),
        `${name}: ${kind}/${metadata.name}`,
      );
    }
  }
});
