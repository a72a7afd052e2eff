import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bandOf, bands, type Reference } from '../../monitoring/reference/bands.ts';
import { dashboards, generatedFiles } from '../../scripts/monitoring/generated.ts';
import { allRules, panelsOf } from '../../scripts/monitoring/sources.ts';
import { loadModel } from '../../src/classifier/manifest.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = await generatedFiles();

test('generated dashboards and rules are up to date (npm run build:monitoring)', () => {
  for (const { path, content } of files) assert.equal(readFileSync(`${root}/${path}`, 'utf8'), content, path);
  const made = files.flatMap(({ path }) => /dashboards\/(.*)$/.exec(path)?.[1] ?? []);
  assert.deepEqual(readdirSync(`${root}/charts/monitoring-chart/files/dashboards`).sort(), made.sort());
});

test('each panel says what it shows, in which unit, of which data source, and lies on no other', () => {
  for (const dashboard of dashboards) {
    const taken = new Set<string>();
    for (const panel of panelsOf(dashboard)) {
      const where = `${dashboard.title}: ${panel.title}`;
      const { x, y, w, h } = panel.gridPos;
      assert.ok(w > 0 && x + w <= 24, `${where}: ${x} + ${w}`);
      for (let column = x; column < x + w; column += 1)
        for (let line = y; line < y + h; line += 1) {
          assert.ok(!taken.has(`${column} ${line}`), `${where} lies on another panel`);
          taken.add(`${column} ${line}`);
        }
      if (panel.type === 'row') continue;
      assert.ok((panel.description ?? '').length > 10, where);
      assert.equal(panel.datasource?.uid, '$datasource', where);
      assert.ok((panel.targets ?? []).length > 0, where);
      for (const target of panel.targets ?? []) assert.equal(target.datasource.uid, '$datasource', where);
      const references = (panel.targets ?? []).map(({ refId }) => refId);
      assert.deepEqual(references, [...new Set(references)], where);
      if (!/^(table|heatmap)$/.test(panel.type)) assert.ok(panel.fieldConfig?.defaults.unit, where);
    }
  }
});

test('dashboards have addresses of their own, the variables, and lead to entries of the runbook', () => {
  const uids = dashboards.map(({ uid }) => uid);
  assert.deepEqual(uids, ['gantry-overview', 'gantry-pipeline', 'gantry-rabbitmq', 'gantry-model-quality']);
  const anchors = new Set(allRules().flatMap(({ rule }) => rule.alert?.toLowerCase() ?? []));
  for (const dashboard of dashboards) {
    const { title = '', templating, links } = dashboard;
    const names = (templating?.list ?? []).map(({ name }) => name);
    assert.deepEqual(names, ['datasource', 'namespace'], title);
    assert.ok(
      (links ?? []).some(({ url }) => url === 'docs/runbook.md'),
      title,
    );
    for (const { title: panel, links: own = [] } of panelsOf(dashboard))
      for (const { url } of own)
        assert.ok(anchors.has(url.split('#')[1] ?? ''), `${title}: ${panel}: ${url}`);
  }
});

test('the reference is of the model that comes along, and adds up', async () => {
  const reference: Reference = JSON.parse(readFileSync(`${root}/monitoring/reference/pets.json`, 'utf8'));
  const { name, version, digest, accuracy, card } = await loadModel(`${root}/models/pets`);
  assert.deepEqual(reference.model, { name, version, digest });
  assert.equal(reference.images, accuracy.images);
  for (const counts of [reference.labels, reference.confidence])
    assert.equal(
      Object.values(counts).reduce((sum, count) => sum + count),
      reference.images,
    );
  assert.deepEqual(card?.labelMix, reference.labels, 'the model card says the same');
  assert.deepEqual(
    Object.keys(reference.confidence),
    bands.map((band) => band.name),
  );
});

test('a confidence lies in the band of its bucket', () => {
  const examples = [0.2, 0.5, 0.51, 0.7, 0.95, 0.99, 0.991, 1].map(bandOf);
  assert.deepEqual(examples, [
    ...['up to 0.5', 'up to 0.5', '0.5 to 0.7', '0.5 to 0.7'],
    ...['0.9 to 0.99', '0.9 to 0.99', 'above 0.99', 'above 0.99'],
  ]);
});
