import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { casesOf, chartFolder, readChart } from '../../scripts/charts/charts.ts';
import { nameOf, renderChart } from '../../scripts/charts/helm.ts';
import { promtoolMissing, promtoolProblems } from './promtool.ts';

/** Debian builds promtool without Kubernetes; finding pods there is tried on a cluster (test/kubernetes). */
const withoutKubernetes = (content: string): string =>
  content.replaceAll(/kubernetes_sd_configs:\s+- role: pod\s+namespaces: .*/g, 'static_configs: []');

test('Prometheus takes what monitoring-chart gives it, in every case', {
  skip: promtoolMissing,
}, async () => {
  const chart = readChart(chartFolder('monitoring-chart'));
  for (const trial of casesOf(chart)) {
    const rendering = await renderChart(chart.folder, trial);
    if ('refused' in rendering) assert.fail(`${trial.name}: ${rendering.refused}`);
    const map = rendering.objects.find((object) => nameOf(object) === 'ConfigMap/prometheus');
    const files = Object.entries((map?.data ?? {}) as Record<string, string>);
    assert.deepEqual(files.map(([name]) => name).sort(), ['prometheus.yml', 'rules.yaml']);
    const directory = mkdtempSync(join(tmpdir(), 'gantry-prometheus-'));
    try {
      for (const [name, content] of files)
        writeFileSync(
          join(directory, name),
          withoutKubernetes(content).replace(/\/etc\/(prometheus|gantry)\//g, `${directory}/`),
        );
      // It looks for the API key that the configuration names.
      writeFileSync(join(directory, 'key'), '');
      // It checks the rules that the configuration names, too.
      assert.equal(
        await promtoolProblems('check', 'config', join(directory, 'prometheus.yml')),
        '',
        trial.name,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
});
