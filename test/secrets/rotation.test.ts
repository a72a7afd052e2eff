import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import pg from 'pg';
import { accepted, ended } from '../acceptance/target.ts';
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts';
import { type RabbitMq, rabbitMqMissing, startRabbitMq } from '../services/rabbitmq.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';

const skip = rabbitMqMissing() || postgresMissing;

suite('credentials that change in their files are taken without a restart', { skip }, () => {
  const stack = new AsyncDisposableStack();
  let dir: string;
  let rabbit: RabbitMq;
  let postgres: Postgres;
  let admin: pg.Client;
  let web: Gantry;
  let consumer: Gantry;

  /** As the kubelet does it: the new content is there at once, whole. */
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(join(dir, `${name}.new`), text);
    await rename(join(dir, `${name}.new`), join(dir, name));
  };

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-rotation-'));
    stack.defer(() => rm(dir, { recursive: true, force: true }));
    [rabbit, postgres] = await Promise.all([startRabbitMq(), startPostgres()]);
    for (const server of [rabbit, postgres]) stack.defer(() => server.dispose());
    await rabbit.api('PUT', 'users/app', { password: 'first', tags: '' });
    await rabbit.api('PUT', 'permissions/%2F/app', { configure: '.*', write: '.*', read: '.*' });
    const url = new URL(await postgres.createDatabase());
    admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
    stack.defer(() => admin.end());
    await admin.query(`create role app login password 'first'; grant all on schema public to app`);
    Object.assign(url, { username: '', password: '' });
    for (const name of ['amqp-password', 'database-password']) await write(name, 'first\n');
    const amqp = {
      GANTRY_AMQP_URL: `amqp://app@127.0.0.1:${rabbit.port}`,
      GANTRY_AMQP_PASSWORD_FILE: join(dir, 'amqp-password'),
    };
    const database = {
      GANTRY_DATABASE_URL: url.href,
      GANTRY_DATABASE_USERNAME: 'app',
      GANTRY_DATABASE_PASSWORD_FILE: join(dir, 'database-password'),
    };
    const dataDir = join(dir, 'data');
    web = await startGantry({ role: 'web', dataDir, env: { ...amqp, ...database } });
    stack.defer(() => web.stop().then());
    consumer = await startGantry({ role: 'consumer', dataDir, env: { ...amqp, GANTRY_WORKERS: '1' } });
    stack.defer(() => consumer.stop().then());
  });
  after(() => stack.disposeAsync());

  const comesThrough = async (): Promise<void> => {
    const image = await ended(web.url, await accepted(web.url, 'cats/chelsea.png'));
    assert.equal(image.state, 'succeeded');
  };
  const cutDatabase = async (): Promise<void> => {
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`);
  };

  test('of the database', async () => {
    await comesThrough();
    await admin.query(`alter role app password 'second'`);
    await cutDatabase();
    const refused = await fetch(`${web.url}/readyz`);
    assert.equal(refused.status, 503, 'the old password was taken');
    await write('database-password', 'second\n');
    assert.equal((await fetch(`${web.url}/readyz`)).status, 200);
    await comesThrough();
  });

  test('of the broker: uploads go on meanwhile, and come through once the file is there', async () => {
    await rabbit.api('PUT', 'users/app', { password: 'second', tags: '' });
    await rabbit.kill();
    await rabbit.start();
    const complaint = 'broker cannot be reached; trying on';
    await Promise.all([web.logged(complaint), consumer.logged(complaint)]);
    const meanwhile = await accepted(web.url, 'cats/chelsea.png');
    await write('amqp-password', 'second\n');
    assert.equal((await ended(web.url, meanwhile)).state, 'succeeded');
    await comesThrough();
  });

  test('a file that is gone changes nothing', async () => {
    await rm(join(dir, 'database-password'));
    await cutDatabase();
    await comesThrough();
  });
});
