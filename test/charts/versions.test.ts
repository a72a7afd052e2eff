import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { allCharts } from '../../scripts/charts/charts.ts';
import { refusal, render } from './render.ts';

test('charts, application and package have one version', () => {
  for (const { name, version, appVersion } of allCharts()) {
    assert.equal(version, manifest.version, name);
    // The others run images that are not ours.
    if (/^(web-server-chart|consumer-chart|gantry)$/.test(name))
      assert.equal(appVersion, manifest.version, name);
  }
});

test('every dependency lies beside the chart, and nothing is to be downloaded', () => {
  for (const { name, folder, dependencies = [] } of allCharts()) {
    for (const dependency of dependencies) {
      assert.match(dependency.repository ?? '', /^file:\/\//, name);
      const path = join(folder, 'charts', dependency.name);
      assert.ok(lstatSync(path).isSymbolicLink() || lstatSync(path).isDirectory(), path);
      if (lstatSync(path).isSymbolicLink()) assert.match(readlinkSync(path), /^\.\.\//, path);
    }
    const packed = readdirSync(folder, { recursive: true }).filter((file) => String(file).endsWith('.tgz'));
    assert.deepEqual(packed, [], name);
  }
});

test('Kubernetes 1.29 to 1.35 is taken, by whatever name a vendor gives it; older is refused', async () => {
  for (const chart of [
    'rabbitmq-chart',
    'web-server-chart',
    'consumer-chart',
    'gantry',
    'monitoring-chart',
  ]) {
    for (const kubeVersion of [
      '1.29.0',
      '1.35.4',
      '1.31.2-eks-a737599',
      '1.33.1-gke.1584000',
      '1.30.4+k3s1',
    ]) {
      await render(chart, {}, { kubeVersion });
    }
    assert.match(await refusal(chart, {}, { kubeVersion: '1.28.9' }), /kubeVersion|incompatible/);
  }
});
