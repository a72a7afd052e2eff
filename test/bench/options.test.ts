import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Outcome, startCommand } from '../serve/run-gantry.ts';

const script = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));
const bench = (...args: string[]): Promise<Outcome> =>
  startCommand(args, {}, [process.execPath, script]).ended;

test('bench: the help and the list have every benchmark, with what it measures', async () => {
  const [help, list] = await Promise.all([bench('--help'), bench('--list')]);
  assert.deepEqual([help.code, help.err, list.code, list.err], [0, '', 0, '']);
  assert.match(help.out, /^Usage: npm run bench -- \[options\] \[names\.\.\.\]\n/);
  const lines = list.out.trimEnd().split('\n');
  assert.ok(lines.length > 4);
  for (const line of lines) {
    assert.match(line, /^[a-z-]+ +\S.{10,}/);
    assert.ok(help.out.includes(line), line);
  }
});

test('bench: what there is not is said in two lines, with what was meant, and nothing is run', async () => {
  const hint = '(npm run bench -- --help has all options and benchmarks)';
  const wrong = [
    ['--qick', /^error: unknown option '--qick'\n\(Did you mean --quick\?\)\n/],
    ['idel', /^error: .*'idel' is invalid.* Allowed choices are overhead, idle, /],
  ] as const;
  for (const [argument, said] of wrong) {
    const { out, err, code } = await bench('idle', argument);
    assert.deepEqual([out, code], ['', 2], argument);
    assert.match(err, said);
    assert.ok(err.endsWith(`${hint}\n`), err);
    assert.doesNotMatch(err, /^ {4}at /m);
  }
});
