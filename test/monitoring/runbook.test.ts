import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dashboards } from '../../scripts/monitoring/generated.ts';
import { allRules, panelsOf } from '../../scripts/monitoring/sources.ts';

const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
const [introduction = '', ...entries] = runbook.split(/^## /m);
const nameOf = (entry: string): string => entry.split('\n')[0] ?? '';
const alerts = new Set(allRules().flatMap(({ rule }) => rule.alert ?? []));

test('every alert has an entry, and every entry an alert', () => {
  assert.deepEqual(entries.map(nameOf).sort(), [...alerts].sort());
});

test('every entry says what it means, how bad it is, where to look, what to do and whom to call', () => {
  for (const entry of entries)
    for (const part of ['Means:', 'How bad:', 'First looks:', 'What to do:', 'Escalate'])
      assert.ok(entry.includes(`**${part}`), `${nameOf(entry)} has no ${part}`);
});

test('links within the page lead to entries', () => {
  const anchors = entries.map((entry) => nameOf(entry).toLowerCase());
  for (const [, anchor = ''] of runbook.matchAll(/\]\(#([^)]*)\)/g))
    assert.ok(anchors.includes(anchor), anchor);
});

test('what readers are to look for in logs is logged', () => {
  const source = fileURLToPath(new URL('../../src', import.meta.url));
  const logged = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/\.(test|cases)\.ts$/.test(file))
    .map((file) => readFileSync(join(source, file), 'utf8'))
    .join('\n');
  const messages = [...runbook.matchAll(/grep '([a-z ]+)'|logs `([a-z ]+)`/g)].flatMap(
    ([, searched, said]) => searched ?? said ?? [],
  );
  assert.ok(messages.length >= 4, messages.join());
  for (const message of messages) assert.match(logged, new RegExp(`'[^']*${message}`), message);
});

test('logs are read of every pod of a kind, not of the one that kubectl picks from a deployment', () => {
  for (const [line] of runbook.matchAll(/^.*kubectl logs deployment.*$/gm)) assert.match(line, /^Not /);
});

test('the panels that it sends readers to exist', () => {
  const titles = new Map(
    dashboards.map((dashboard) => [
      (dashboard.title ?? '').replace('Gantry: ', '').toLowerCase(),
      panelsOf(dashboard).map(({ title }) => title),
    ]),
  );
  const named = [...runbook.matchAll(/\*(Overview|Pipeline|RabbitMQ|Model quality): ([^*]+)\*/g)];
  assert.ok(named.length > 10 && introduction.includes('*Gantry: overview*'));
  for (const [whole, dashboard = '', panels = ''] of named)
    for (const panel of panels.split(', '))
      assert.ok(
        titles.get(dashboard.toLowerCase())?.some((title) => title.startsWith(panel)),
        `${whole}: there is no panel ${panel}`,
      );
});
