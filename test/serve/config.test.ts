import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gantry } from './run-gantry.ts';

interface Line {
  readonly name: string;
  readonly variable: string;
  readonly value: string | null;
  readonly hidden: boolean;
  readonly from: string;
  readonly error: string | null;
}
const linesOf = (out: string): Line[] =>
  out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

test('config: each setting, its value, and where it comes from', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'backlog');
  await writeFile(file, '123\n');
  const env = {
    GANTRY_WORKERS: '3',
    GANTRY_MAX_BACKLOG_FILE: file,
    GANTRY_URL: 'https://gantry.example.com/',
  };
  const { out, code } = await gantry(['config', '--json', '--port', '81', '--data-dir', folder], env);
  assert.equal(code, 0);
  const found = Object.fromEntries(linesOf(out).map(({ name, value, from }) => [name, [value, from]]));
  assert.deepEqual(found.port, ['81', '--port']);
  assert.deepEqual(found.workers, ['3', 'GANTRY_WORKERS']);
  assert.deepEqual(found.maxBacklog, ['123', `file ${file}`]);
  assert.deepEqual(found.imagesDir, [join(folder, 'images'), 'default']);
  assert.deepEqual(found.host, ['127.0.0.1', 'default']);
  assert.deepEqual(found.amqpUrl, [null, 'unset']);
  assert.deepEqual(found.url, ['https://gantry.example.com', 'GANTRY_URL']);
  const set = await gantry(['config', '--set', '--port', '81'], env);
  assert.match(set.out, /^SETTING +VARIABLE +VALUE +FROM\nport +GANTRY_PORT +81 +--port\n/);
  assert.equal(set.out.trimEnd().split('\n').length, 5);
});

test('config shows no secret, whatever it is written in', async () => {
  const secret = 'Tr0ub4dor';
  const env = {
    GANTRY_DATABASE_URL: `postgres://me:${secret}@db/gantry?password=${secret}`,
    GANTRY_DATABASE_PASSWORD: secret,
    GANTRY_AMQP_URL: `amqp://me:${secret}@mq-1:5672,mq-2:5672/vhost`,
    GANTRY_AMQP_PASSWORD: secret,
    GANTRY_OTLP_URL: `https://me:${secret}@collector`,
    GANTRY_API_KEY: secret,
    GANTRY_URL: `http://me:${secret}@localhost`,
  };
  for (const args of [['config'], ['config', '--json'], ['config', '--set']]) {
    const { out, err, code } = await gantry(args, env);
    assert.equal(`${out}${err}`.includes(secret), false, out);
    assert.equal(code, 0, err);
  }
  const { out } = await gantry(['config', '--json'], env);
  const found = linesOf(out).find(({ name }) => name === 'databaseUrl');
  assert.deepEqual([found?.value, found?.hidden], ['postgres://…@db/gantry?…', true]);
  const broken = { ...env, GANTRY_AMQP_URL: `http://me:${secret}@mq` };
  const wrong = await gantry(['config'], broken);
  assert.equal(`${wrong.out}${wrong.err}`.includes(secret), false);
  assert.match(wrong.err, /^gantry: GANTRY_AMQP_URL takes a URL such as/);
  assert.equal(wrong.code, 2);
});
