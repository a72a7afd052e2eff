import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

const cli = join(import.meta.dirname, 'cli.ts');
const colours = join(import.meta.dirname, '../test/fixtures/models/colours');

test('a reader that ends before the command does, such as head, is no fault', async () => {
  const child = spawn(process.execPath, [cli, 'model', 'check', colours]);
  child.stdout.destroy();
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.deepEqual([code, errors], [0, '']);
});
