import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { cli } from './run-gantry.ts';

const run = promisify(execFile);

/** Tells on stderr which packages a program loads. */
const telling = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) {
  const name = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1];
  if (name) process.stderr.write(name + '\\n');
  return next(url, context);
} });`;

test('a command loads nothing but what it needs: everything else would be waited for at each start', async () => {
  const hook = `data:text/javascript,${encodeURIComponent(telling)}`;
  const { stderr } = await run(process.execPath, ['--import', hook, cli, '--help']);
  const loaded = [...new Set(stderr.trim().split('\n'))].sort();
  assert.deepEqual(loaded, ['commander', 'eventsource-parser']);
});
