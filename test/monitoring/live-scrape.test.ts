import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readsOf } from '../../scripts/monitoring/promql.ts';
import {
  allRules,
  dashboardExpressions,
  type Expression,
  ruleExpressions,
} from '../../scripts/monitoring/sources.ts';
import { documentedMetrics } from '../../src/observability/metrics-page.ts';
import { accepted, ended } from '../acceptance/target.ts';
import { type RabbitMq, rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { startGantry } from '../start-gantry.ts';

/** Labels of each metric. */
type Known = Map<string, Set<string>>;

const learn = (known: Known, name: string, labels: Iterable<string> = []): void => {
  const set = known.get(name) ?? new Set<string>();
  for (const label of labels) set.add(label);
  known.set(name, set);
};

/** What Prometheus adds: https://prometheus.io/docs/concepts/jobs_instances/, and our scrape configurations. */
const ofTargets = ['job', 'instance', 'namespace', 'pod'];

/** What there is without a scrape of Gantry. */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  up: [],
  ALERTS: ['alertname', 'alertstate', 'severity'],
  // kube-state-metrics: docs/metrics/workload/cronjob-metrics.md
  kube_cronjob_status_last_schedule_time: ['cronjob'],
  kube_cronjob_status_last_successful_time: ['cronjob'],
};

/** RabbitMQ counts once a second: a queue that was just made is not in there at once. */
const textOnceIn = async (url: string, part: string): Promise<string> => {
  for (;;) {
    const response = await fetch(url);
    const text = await response.text();
    assert.equal(response.status, 200, url);
    if (text.includes(part)) return text;
    await sleep(200);
  }
};

const scrape = async (known: Known, url: string, part: string): Promise<void> => {
  for (const line of (await textOnceIn(url, part)).split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      // One that had no event yet shows no series, but its labels are documented.
      const documented = documentedMetrics().find((metric) => metric.name === name)?.labelNames ?? [];
      if (type !== 'histogram') learn(known, name, documented);
      else
        for (const part of ['bucket', 'sum', 'count'])
          learn(known, `${name}_${part}`, part === 'bucket' ? [...documented, 'le'] : documented);
    }
    const [, sample, labels = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (sample !== undefined)
      learn(
        known,
        sample,
        [...labels.matchAll(/([a-z_]+)="/g)].flatMap(([, label]) => label ?? []),
      );
  }
};

suite('rules and dashboards, against a live scrape', { skip: rabbitMqMissing() }, () => {
  const stack = new AsyncDisposableStack();
  const known: Known = new Map();
  /** What RabbitMQ tells on both of the pages that are scraped. */
  const twice = new Set<string>();
  const expressions: readonly Expression[] = [...ruleExpressions(), ...dashboardExpressions()];

  before(async () => {
    const rabbit: RabbitMq = await startRabbitMq();
    stack.defer(() => rabbit.dispose());
    const dataDir = await mkdtemp(join(tmpdir(), 'gantry-monitoring-'));
    stack.defer(() => rm(dataDir, { recursive: true, force: true }));
    const env = { GANTRY_AMQP_URL: rabbit.amqpUrl, GANTRY_WORKERS: '1' };
    const web = await startGantry({ role: 'web', dataDir, env });
    stack.defer(() => web.stop().then());
    const consumer = await startGantry({ role: 'consumer', dataDir, env });
    stack.defer(() => consumer.stop().then());
    await ended(web.url, await accepted(web.url, 'cats/chelsea.png'));
    for (const url of [web.url, consumer.url]) await scrape(known, `${url}/metrics`, 'gantry_build_info');
    // As the charts and compose ask for it.
    const families = 'family=queue_coarse_metrics&family=queue_consumer_count';
    const [sums, ofQueues]: [Known, Known] = [new Map(), new Map()];
    await scrape(sums, rabbit.metricsUrl, 'rabbitmq_build_info');
    await scrape(ofQueues, `${rabbit.metricsUrl}/detailed?${families}`, 'queue="images"');
    for (const page of [sums, ofQueues]) for (const [name, labels] of page) learn(known, name, labels);
    for (const name of sums.keys()) if (ofQueues.has(name)) twice.add(name);
    for (const [name, labels] of Object.entries(elsewhere)) learn(known, name, labels);
    for (const { rule } of allRules())
      if (rule.record !== undefined) learn(known, rule.record, Object.keys(rule.labels ?? {}));
  });
  after(() => stack.disposeAsync());

  const labelsOf = (name: string): Set<string> => new Set([...(known.get(name) ?? []), ...ofTargets]);

  test('every metric exists, with the labels that are asked of it', () => {
    assert.ok(expressions.length > 80);
    for (const { where, expr } of expressions)
      for (const { name, labels } of readsOf(expr).selectors) {
        assert.ok(known.has(name), `${where}: there is no metric ${name}`);
        for (const label of labels)
          assert.ok(labelsOf(name).has(label), `${where}: ${name} has no label ${label}`);
      }
  });

  test('what is on both of RabbitMQ’s pages is not counted twice', () => {
    assert.ok(twice.has('rabbitmq_build_info'));
    for (const { where, expr } of expressions)
      for (const { name, labels } of readsOf(expr).selectors)
        assert.ok(!twice.has(name) || labels.includes('job'), `${where}: which job’s ${name}?`);
  });

  test('what is grouped by, and shown in a name or a text, is a label of a metric in the same expression', () => {
    for (const { where, expr, legend } of expressions) {
      const { selectors, grouping } = readsOf(expr);
      const there = new Set(selectors.flatMap(({ name }) => [...labelsOf(name)]));
      for (const label of [...grouping, ...legend])
        assert.ok(there.has(label), `${where}: nothing in there has the label ${label}`);
    }
  });

  test('a text shows no label that its expression has dropped', () => {
    for (const { where, expr, legend } of expressions) {
      // Only where all that is left is what is grouped by.
      const [, by] = /^\s*(?:sum|max|min|avg|count) by \(([^)]*)\)/.exec(expr) ?? [];
      if (by === undefined) continue;
      for (const label of legend) assert.ok(by.split(/, */).includes(label), `${where}: ${label} is dropped`);
    }
  });

  test('every recorded series is used', () => {
    const used = new Set(expressions.flatMap(({ expr }) => readsOf(expr).selectors.map(({ name }) => name)));
    for (const { rule } of allRules())
      if (rule.record !== undefined) assert.ok(used.has(rule.record), `nobody uses ${rule.record}`);
  });
});
