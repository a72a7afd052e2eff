import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { parse } from 'yaml';
import { allRules, type Rule, rulesFolder } from '../../scripts/monitoring/sources.ts';
import { promtoolMissing, promtoolProblems } from './promtool.ts';

const alerts = allRules().filter(({ rule }) => rule.alert !== undefined);
const testsFolder = join(rulesFolder, 'tests');
const kebab = (alert: string): string =>
  alert
    .replace(/^Gantry/, '')
    .replace('RabbitMQ', 'Rabbitmq')
    .replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();

suite('promtool', { skip: promtoolMissing }, () => {
  test('takes every rule file', async () => {
    const files = readdirSync(rulesFolder).filter((name) => name.endsWith('.yaml'));
    assert.equal(
      await promtoolProblems('check', 'rules', ...files.map((name) => join(rulesFolder, name))),
      '',
    );
  });

  for (const name of readdirSync(testsFolder))
    test(`passes ${name}`, async () => {
      assert.equal(await promtoolProblems('test', 'rules', join(testsFolder, name)), '');
    });
});

interface RuleTest {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { alertname: string; exp_alerts: readonly unknown[] }[];
  }[];
}

test('each alert has a file of its name, and a test in which it fires and does not', () => {
  for (const { file, rule } of alerts) {
    assert.equal(file, kebab(rule.alert ?? ''));
    assert.ok(existsSync(join(testsFolder, `${file}.yaml`)), file);
    const { tests } = parse(readFileSync(join(testsFolder, `${file}.yaml`), 'utf8')) as RuleTest;
    const checks = tests.flatMap((one) => one.alert_rule_test);
    assert.ok(
      checks.every(({ alertname }) => alertname === rule.alert),
      file,
    );
    const fires = checks.findIndex((check) => check.exp_alerts.length > 0);
    const silent = (check: (typeof checks)[number]): boolean => check.exp_alerts.length === 0;
    assert.ok(fires > 0 && checks.slice(0, fires).every(silent), `${file}: is silent, then fires`);
    assert.ok(checks.slice(fires).some(silent), `${file}: clears`);
  }
});

test('each alert says how bad it is, what it saw and where to read on', () => {
  for (const { file, rule } of alerts) {
    const { summary = '', description = '', runbook_url } = rule.annotations ?? {};
    assert.match(rule.labels?.severity ?? '', /^(critical|warning|info)$/, file);
    assert.match(rule.for ?? '', /^[1-9]\d*[mh]$/, file);
    assert.ok(summary.length > 20 && !summary.includes('{{'), file);
    assert.ok(description.length > 20, file);
    assert.equal(runbook_url, `docs/runbook.md#${rule.alert?.toLowerCase()}`, file);
  }
});

test('why an alert waits as long as it does stands beside it', () => {
  for (const file of new Set(alerts.map((alert) => alert.file))) {
    const lines = readFileSync(join(rulesFolder, `${file}.yaml`), 'utf8').split('\n');
    for (const [index, line] of lines.entries())
      if (/^ +for: /.test(line)) assert.match(lines[index - 1] ?? '', /^ +# /, `${file}: ${line.trim()}`);
  }
});

test('a recorded series is named level:metric:operations, the level being the labels that are left', () => {
  for (const { rule } of allRules()) {
    if (rule.record === undefined) continue;
    const [level = '', metric = '', operations = '', ...more] = rule.record.split(':');
    assert.deepEqual(more, [], rule.record);
    assert.match(metric, /^gantry_[a-z_]+$/, rule.record);
    assert.match(operations, /^[a-z0-9_]+$/, rule.record);
    const grouped = [...rule.expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) =>
      labels.split(', '),
    );
    const left = new Set([...grouped, ...Object.keys(rule.labels ?? {})]);
    for (const label of level.split('_'))
      assert.ok(left.has(label), `${rule.record}: nothing is kept by ${label}`);
  }
});

const named = ({ alert, record, labels }: Rule): string => `${alert ?? record} ${JSON.stringify(labels)}`;

test('no two rules are the same', () => {
  const all = allRules().map(({ rule }) => named(rule));
  assert.deepEqual(all, [...new Set(all)]);
});
