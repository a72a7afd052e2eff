import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import pg from 'pg';
import { accepted, ended, fixture, upload } from '../acceptance/target.ts';
import { gantry } from '../serve/run-gantry.ts';
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts';
import { type RabbitMq, rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';

/** A password that stands for every other; what it looks like in URLs and in base64 is looked for, too. */
const canary = (): string => `canary/${randomBytes(9).toString('base64url')}`;
const forms = (secret: string): string[] => [
  ...[secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')],
  // As it ends in a Basic header, whatever the user's name before it.
  Buffer.from(secret).toString('base64').slice(4, -4),
];

const skip = rabbitMqMissing() || postgresMissing || s3Missing();

suite('credentials of broker, database and storage stay where they are', { skip }, () => {
  const stack = new AsyncDisposableStack();
  const [ofBroker, ofDatabase, ofCollector] = [canary(), canary(), canary()];
  let rabbit: RabbitMq;
  let postgres: Postgres;
  let s3: S3Server;
  let secrets: readonly string[];
  let web: Gantry;
  let consumer: Gantry;

  const assertNone = (what: string, text: string): void => {
    for (const secret of secrets)
      for (const form of forms(secret))
        assert.ok(!text.includes(form), `${what} holds a credential:\n${text}`);
  };

  before(async () => {
    [rabbit, postgres, s3] = await Promise.all([startRabbitMq(), startPostgres(), startS3()]);
    for (const server of [rabbit, postgres, s3]) stack.defer(() => server.dispose());
    secrets = [ofBroker, ofDatabase, ofCollector, s3.env.AWS_SECRET_ACCESS_KEY];

    await rabbit.api('PUT', 'users/gantry', { password: ofBroker, tags: '' });
    await rabbit.api('PUT', 'permissions/%2F/gantry', { configure: '.*', write: '.*', read: '.*' });
    const databaseUrl = new URL(await postgres.createDatabase());
    const admin = new pg.Client({ connectionString: databaseUrl.href });
    await admin.connect();
    await admin.query(`create role app login password '${ofDatabase}'`);
    await admin.query(`grant all on schema public to app`);
    await admin.end();
    databaseUrl.username = 'app';
    databaseUrl.password = ofDatabase;

    const dir = await mkdtemp(join(tmpdir(), 'gantry-secrets-'));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    const passwordFile = join(dir, 'password');
    await writeFile(passwordFile, `${ofBroker}\n`, { mode: 0o600 });
    const s3Env = { ...s3.env, GANTRY_S3_URL: await s3.bucket(), GANTRY_S3_ENDPOINT: s3.endpoint };
    const loud = { GANTRY_LOG_LEVEL: 'trace', GANTRY_WORKERS: '1', GANTRY_LOG_FORMAT: 'json' };
    // Each kind of place that a password may come from: a file, a variable, a URL.
    web = await startGantry({
      role: 'web',
      env: {
        ...{ ...s3Env, ...loud, GANTRY_DATABASE_URL: databaseUrl.href },
        ...{ GANTRY_AMQP_URL: `amqp://127.0.0.1:${rabbit.port}`, GANTRY_AMQP_USERNAME: 'gantry' },
        GANTRY_AMQP_PASSWORD_FILE: passwordFile,
        // Nobody listens there.
        GANTRY_OTLP_URL: `http://gantry:${encodeURIComponent(ofCollector)}@127.0.0.1:1`,
      },
    });
    stack.defer(() => web.stop().then());
    const amqp = new URL(rabbit.amqpUrl);
    Object.assign(amqp, { username: 'gantry', password: ofBroker });
    consumer = await startGantry({
      role: 'consumer',
      env: { ...s3Env, ...loud, GANTRY_AMQP_URL: amqp.href },
    });
    stack.defer(() => consumer.stop().then());
  });
  after(() => stack.disposeAsync());

  test('not in what is answered', async () => {
    const id = await accepted(web.url, 'cats/chelsea.png');
    assert.equal((await ended(web.url, id)).state, 'succeeded');
    const paths = [
      '/metrics',
      '/openapi.json',
      '/models',
      '/system',
      '/readyz',
      `/images/${id}`,
      '/images',
      '/no-such-page',
    ];
    for (const path of paths) {
      const response = await fetch(`${web.url}${path}`);
      const headers = JSON.stringify([...response.headers]);
      assertNone(path, headers + (await response.text()));
    }
    assertNone('the consumer’s /metrics', await (await fetch(`${consumer.url}/metrics`)).text());
  });

  test('not in command lines, nor in the environment of the processes that decode pictures', async () => {
    const tasks = `/proc/${consumer.process.pid}/task/${consumer.process.pid}/children`;
    const workers = (await readFile(tasks, 'utf8')).trim().split(' ');
    assert.ok(workers.length > 0 && workers[0] !== '');
    for (const pid of [web.process.pid, consumer.process.pid, ...workers])
      assertNone(`the command line of ${pid}`, await readFile(`/proc/${pid}/cmdline`, 'utf8'));
    for (const pid of workers)
      assertNone(`the environment of worker ${pid}`, await readFile(`/proc/${pid}/environ`, 'utf8'));
  });

  test('not in logs at level trace, not even when everything fails', async () => {
    const failing = async (): Promise<void> => {
      const picture = { name: 'a.png', bytes: await fixture('cats/chelsea.png') };
      const response = await upload(web.url, [picture]);
      assertNone('a refusal', await response.text());
      assert.notEqual(response.status, 202);
    };
    await rabbit.kill();
    await consumer.logged('broker connection lost');
    await accepted(web.url, 'cats/chelsea.png');
    await postgres.kill();
    await failing();
    await postgres.start();
    await s3.kill();
    await failing();
    await Promise.all([rabbit.start(), s3.start()]);
    // A password that is not taken any more is what servers complain of at length.
    await rabbit.api('PUT', 'users/gantry', { password: canary(), tags: '' });
    await rabbit.kill();
    await rabbit.start();
    await web.logged('broker cannot be reached; trying on');
    await web.logged('traces cannot be exported');
    for (const [name, { logs }] of Object.entries({ web, consumer })) {
      assert.ok(logs.length > 5);
      assertNone(`the log of ${name}`, logs.map((line) => JSON.stringify(line)).join('\n'));
    }
  });

  test('not in what is said of settings that are wrong', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-wrong-'));
    const [user, word] = ['gantry', encodeURIComponent(ofBroker)];
    const wrong: readonly (readonly [string[], NodeJS.ProcessEnv])[] = [
      [['web'], { GANTRY_AMQP_URL: `http://${user}:${word}@127.0.0.1` }],
      [['web'], { GANTRY_AMQP_URL: `amqp://${user}:${word}@` }],
      [['web'], { GANTRY_AMQP_URL: `amqp://${user}:${ofBroker}@127.0.0.1:none` }],
      [
        ['web'],
        { GANTRY_AMQP_URL: rabbit.amqpUrl, GANTRY_DATABASE_URL: `mysql://${user}:${word}@127.0.0.1/x` },
      ],
      [['serve'], { GANTRY_DATABASE_URL: `postgres://nobody:${word}@127.0.0.1:${postgres.port}/none` }],
      [
        ['serve'],
        {
          GANTRY_DATABASE_URL: `postgres://${user}:${word}@127.0.0.1:${postgres.port}/postgres?sslmode=${word}`,
        },
      ],
      [['serve'], { GANTRY_S3_URL: 's3://none', GANTRY_S3_ENDPOINT: s3.endpoint, ...s3.env }],
      [['serve'], { GANTRY_S3_URL: `s3://${user}:${word}@none` }],
      [['audit'], { GANTRY_DATABASE_URL: `postgres://${user}:${word}@127.0.0.1:${postgres.port}/none` }],
      [['serve', '--port', 'none'], { GANTRY_AMQP_PASSWORD: ofBroker }],
      [['serve'], { GANTRY_AMQP_PASSWROD: ofBroker }],
      [['serve', `--amqp-password=${ofBroker}`], {}],
      [['web', '--amqp-url', `amqp://${user}:${word}@127.0.0.1`], {}],
    ];
    try {
      for (const [args, env] of wrong) {
        const { out, err, code } = await gantry([...args, '--data-dir', dir], {
          ...env,
          GANTRY_METRICS_PORT: '0',
        });
        assert.notEqual(code, 0, `${args} took ${Object.keys(env)}`);
        assert.ok(err.length > 10);
        assertNone(`${args} with ${Object.keys(env)}`, out + err);
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('nothing was left in a data folder', async () => {
    for (const { dataDir } of [web, consumer])
      for (const name of await readdir(dataDir, { recursive: true, withFileTypes: true }))
        if (name.isFile()) assertNone(name.name, await readFile(join(name.parentPath, name.name), 'latin1'));
  });
});
