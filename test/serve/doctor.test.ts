import assert from 'node:assert/strict';
import { chmod, copyFile, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { poisonModel } from '../poison.ts';
import { freePorts } from '../services/free-port.ts';
import { postgresMissing, startPostgres } from '../services/postgres.ts';
import { rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { s3Missing, startS3 } from '../services/s3.ts';
import { startGantry } from '../start-gantry.ts';
import { gantry } from './run-gantry.ts';

interface Finding {
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly mend: string | null;
}

const folder = async (t: TestContext): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'gantry-doctor-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
};

const examine = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
  const { out, err, code } = await gantry(['doctor', '--json', ...args], { GANTRY_WORKERS: '1', ...env });
  assert.equal(err, '');
  const all = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Finding);
  const found = Object.fromEntries(all.map((finding) => [finding.check, finding]));
  return { code, all, of: (check: string) => found[check] ?? assert.fail(`no ${check}: ${out}`) };
};

test('a fresh clone is well, and nothing is made by looking', async (t) => {
  const path = join(await folder(t), 'data');
  const { out, code } = await gantry(['doctor', '--data-dir', path], { GANTRY_WORKERS: '1' });
  assert.equal(code, 0, out);
  assert.match(out, /^ok {4}settings +every setting can be used\n/);
  assert.match(out, /^ok {4}data folder +\/.*\/data will be made at the first start$/m);
  assert.match(out, /^ok {4}model +pets \S+ loads/m);
  assert.match(out, /\nAll is well\.\n$/);
  await assert.rejects(readdir(path), { code: 'ENOENT' });
});

test('beside a running server', async (t) => {
  const server = await startGantry({ env: { GANTRY_MODEL: poisonModel, GANTRY_WORKERS: '1' } });
  t.after(() => server.stop());
  const { of, code } = await examine(['--data-dir', server.dataDir], { GANTRY_URL: server.url });
  assert.equal(code, 0);
  assert.match(of('store').message, /SQLite in .*gantry\.db$/);
  assert.match(of('server').message, /runs this version, with the model poison/);
});

test('what is wrong fails, and says how to mend it', async (t) => {
  const path = await folder(t);
  await writeFile(join(path, 'gantry.db'), 'no database at all, but long enough to look like one'.repeat(20));
  const model = join(path, 'model');
  await cp(poisonModel, model, { recursive: true });
  await copyFile(fileURLToPath(import.meta.url), join(model, 'model.onnx'));
  const keys = join(path, 'keys.json');
  await writeFile(keys, '{"keys": 1}', { mode: 0o600 });
  const [port = 0, other = 0] = await freePorts(2);
  const secret = 'Tr0ub4dor';
  const args = [
    ...['--data-dir', path, '--model', model, '--api-keys-file', keys, '--min-free-bytes', '900000GB'],
    ...['--workers', '1000'],
  ];
  const { of, all, code } = await examine(args, {
    GANTRY_AMQP_URL: `amqp://me:${secret}@127.0.0.1:${port}`,
    GANTRY_URL: `http://127.0.0.1:${other}`,
  });
  assert.equal(code, 1);
  const bad = all.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check} ${status}`);
  assert.deepEqual(bad, [
    ...[
      'disk fail',
      'store fail',
      'broker fail',
      'model fail',
      'workers warn',
      'API keys fail',
      'server fail',
    ],
  ]);
  for (const { status, mend } of all) assert.equal(mend === null, status === 'ok');
  assert.match(of('store').mend ?? '', /gantry reindex/);
  assert.match(of('broker').message, /ECONNREFUSED/);
  assert.match(of('model').message, /its sha256 is .*, but the manifest says/);
  assert.equal(JSON.stringify(all).includes(secret), false);
});

test('a setting that is none, and a folder that takes nothing', async (t) => {
  const wrong = await examine([], { GANTRY_PORT: 'x' });
  assert.equal(wrong.code, 1);
  assert.match(wrong.of('settings').message, /GANTRY_PORT takes a whole number/);
  assert.deepEqual(
    wrong.all.map(({ check }) => check),
    ['settings', 'node', 'server'],
  );
  const path = await folder(t);
  await chmod(path, 0o500);
  if (process.getuid?.() === 0) return;
  assert.equal((await examine(['--data-dir', join(path, 'below')])).of('data folder').status, 'fail');
});

test('an S3 bucket, and one that is not there', { skip: s3Missing() }, async (t) => {
  const s3 = await startS3();
  t.after(() => s3.dispose());
  const env = { ...s3.env, GANTRY_S3_ENDPOINT: s3.endpoint, GANTRY_DATA_DIR: await folder(t) };
  const there = await examine([], { ...env, GANTRY_S3_URL: await s3.bucket() });
  assert.equal(there.of('images').message, 'the S3 bucket can be written to');
  const none = await examine([], { ...env, GANTRY_S3_URL: 's3://no-such-bucket' });
  assert.deepEqual([none.of('images').status, none.code], ['fail', 1]);
});

test('RabbitMQ and PostgreSQL: before a web server, beside one, and without consumers', {
  skip: rabbitMqMissing() || postgresMissing,
}, async (t) => {
  const [rabbitmq, postgres] = await Promise.all([startRabbitMq(), startPostgres()]);
  t.after(() => Promise.all([rabbitmq.dispose(), postgres.dispose()]));
  const env = {
    GANTRY_AMQP_URL: rabbitmq.amqpUrl,
    GANTRY_DATABASE_URL: await postgres.createDatabase(),
    GANTRY_DATA_DIR: await folder(t),
  };
  const before = await examine([], env);
  assert.deepEqual([before.of('store').status, before.of('broker').status, before.code], ['warn', 'warn', 0]);
  assert.match(before.of('broker').message, /gantry is not there yet/);
  assert.match(before.of('store').message, /lacks migration 001-initial/);
  const web = await startGantry({ role: 'web', env: { ...env, GANTRY_MODEL: poisonModel } });
  t.after(() => web.stop());
  const beside = await examine([], { ...env, GANTRY_URL: web.url });
  assert.equal(beside.of('store').message, "PostgreSQL answers, and has this version's schema");
  assert.match(beside.of('broker').message, /RabbitMQ answers: 6 queues, 0 messages, 0 consumers/);
  assert.match(beside.of('broker').mend ?? '', /start gantry consumer/);
});
