import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { linesTogether } from './log.ts';

test('the lines of one turn are one write', async () => {
  const writes: string[] = [];
  const { write } = linesTogether({ write: (text) => void writes.push(text) });
  write('a\n');
  await Promise.resolve();
  write('b\n');
  await turn();
  write('c\n');
  await turn();
  assert.deepEqual(writes, ['a\nb\n', 'c\n']);
});

test('a process that ends at once, in order or not, has written its lines', () => {
  const module = new URL('log.ts', import.meta.url).href;
  const begin = `const { createLog } = await import('${module}'); const log = createLog('info', 'json'); log.info('one'); log.info('two');`;
  for (const end of ['process.exit(0)', 'throw new Error()', '']) {
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', `${begin} ${end}`]);
    const said = String(stdout).trim().split('\n');
    assert.deepEqual(
      said.map((line) => JSON.parse(line).msg),
      ['one', 'two'],
      end,
    );
  }
});
