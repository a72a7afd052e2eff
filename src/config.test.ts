import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from './config.ts';
import { configurationPage } from './configuration-page.ts';
import { ConfigError } from './setting-kinds.ts';
import { environmentName } from './settings.ts';

test('without any setting there are defaults', () => {
  const config = loadConfig({});
  assert.equal(config.port, 5000);
  assert.equal(config.host, '127.0.0.1');
  assert.equal(config.imagesDir, resolve('data/images'));
  assert.equal(config.maxFileBytes, 50_000_000);
  assert.equal(config.jobDeadline, 30_000);
  assert.ok(config.workers >= 1);
});

test('the command line wins over the environment, the environment over a file', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'gantry-config-')), 'port');
  writeFileSync(file, '7001\n');
  assert.equal(loadConfig({ GANTRY_PORT_FILE: file }).port, 7001);
  assert.equal(loadConfig({ GANTRY_PORT_FILE: file, GANTRY_PORT: '7002' }).port, 7002);
  assert.equal(loadConfig({ GANTRY_PORT: '7002' }, { port: '7003' }).port, 7003);
});

test('the images follow the data folder unless set', () => {
  assert.equal(loadConfig({ GANTRY_DATA_DIR: '/srv/gantry' }).imagesDir, '/srv/gantry/images');
  assert.equal(
    loadConfig({ GANTRY_DATA_DIR: '/srv/gantry', GANTRY_IMAGES_DIR: '/data/images' }).imagesDir,
    '/data/images',
  );
});

test('sizes and durations have units', () => {
  const config = loadConfig({
    GANTRY_MAX_FILE_BYTES: '1.5MiB',
    GANTRY_JOB_DEADLINE: '2m',
    GANTRY_MAX_WAIT_MS: '5',
  });
  assert.equal(config.maxFileBytes, 1_572_864);
  assert.equal(config.jobDeadline, 120_000);
  assert.equal(config.maxWaitMs, 5);
});

const faults: [name: string, environment: NodeJS.ProcessEnv, message: RegExp][] = [
  ['a misspelt setting', { GANTRY_PROT: '80' }, /unknown setting GANTRY_PROT/],
  ['a setting that is nearly right', { GANTRY_MODEL_DIR: 'x' }, /did you mean GANTRY_MODEL\?/],
  ['no number', { GANTRY_PORT: 'http' }, /GANTRY_PORT takes a whole number from 0 to 65535, not "http"/],
  ['out of range', { GANTRY_PORT: '65536' }, /GANTRY_PORT takes a whole number/],
  ['an unknown unit', { GANTRY_MAX_FILE_BYTES: '5 bananas' }, /takes a size such as 50MB/],
  ['longer than a timer can be', { GANTRY_JOB_DEADLINE: '30d' }, /takes a duration from 100ms to 24d/],
  ['no time at all', { GANTRY_JOB_DEADLINE: '0' }, /takes a duration from 100ms/],
  ['an unknown word', { GANTRY_LOG_LEVEL: 'loud' }, /takes one of trace, debug/],
  ['an origin with a path', { GANTRY_CORS_ORIGINS: 'https://a.example.com/' }, /takes origins such as/],
  ['every origin', { GANTRY_CORS_ORIGINS: '*' }, /takes origins such as/],
  ['one bad origin of two', { GANTRY_CORS_ORIGINS: 'https://a.example.com,x' }, /takes origins such as/],
  ['a proxy that is a name', { GANTRY_TRUSTED_PROXIES: 'ingress' }, /takes addresses or networks/],
  ['a network that is none', { GANTRY_TRUSTED_PROXIES: '10.0.0.0/33' }, /takes addresses or networks/],
  ['every network', { GANTRY_TRUSTED_PROXIES: '0.0.0.0/0' }, /takes addresses or networks/],
  ['neither true nor false', { GANTRY_METRICS_OPEN: 'no' }, /takes true or false, not "no"/],
  ['nearly the key file', { GANTRY_API_KEYS: '/k' }, /did you mean GANTRY_API_KEYS_FILE\?/],
  ['an unreadable file', { GANTRY_PORT_FILE: '/nowhere' }, /GANTRY_PORT_FILE: cannot read \/nowhere/],
];
for (const [name, environment, message] of faults) {
  test(`refused in one line: ${name}`, () => {
    assert.throws(
      () => loadConfig(environment),
      (error) => error instanceof ConfigError && message.test(error.message) && !error.message.includes('\n'),
    );
  });
}

const sesame = 'sesame';
for (const [name, value] of [
  ['databasePassword', sesame],
  ['amqpPassword', sesame],
  ['amqpUrl', `amqp://u:${sesame}@one,two/vhost`],
  ['amqpUrl', `amqps://:${sesame}@one`],
  ['databaseUrl', `postgres://u:${sesame}@h/d`],
  ['databaseUrl', `POSTGRES://u:a:b@${sesame}@h/d`],
  ['databaseUrl', `postgres://u@h/d?sslmode=require&password=${sesame}`],
  ['databaseUrl', `mysql://u:${sesame}@h/d`],
  ['s3Url', `s3://u:${sesame}@bucket`],
  ['s3Endpoint', `http://u:${sesame}@minio:9000`],
  ['otlpUrl', `http://u:${sesame}@collector:4318`],
] as const) {
  test(`no password on the command line: --${name} ${value}`, () => {
    const variable = environmentName(name);
    assert.throws(
      () => loadConfig({}, { [name]: value }),
      (error) =>
        error instanceof ConfigError &&
        error.message.includes(`set ${variable}, or ${variable}_FILE`) &&
        !error.message.includes(sesame),
    );
  });
}

test('a URL without a password may stand on the command line, one with it in the environment', () => {
  const urls = {
    amqpUrl: 'amqp://u@one:5672,two:5672/a@b',
    databaseUrl: 'postgres://u:@[::1]:5432/d?sslmode=require',
    s3Endpoint: 'http://[::1]:9000',
  };
  const config = loadConfig({}, urls);
  for (const [name, url] of Object.entries(urls)) assert.equal(config[name as keyof typeof urls], url);
  const url = `amqp://u:${sesame}@h`;
  assert.equal(loadConfig({ GANTRY_AMQP_URL: url, GANTRY_DATABASE_PASSWORD: 'x' }).amqpUrl, url);
});

test('lists have commas, and a key that commands send is no setting of a server', () => {
  const config = loadConfig({
    GANTRY_CORS_ORIGINS: 'https://a.example.com, http://localhost:3000',
    GANTRY_TRUSTED_PROXIES: '10.0.0.0/8,::1,fd00::/8',
    GANTRY_METRICS_OPEN: 'false',
    GANTRY_API_KEY: 'x',
  });
  assert.deepEqual(config.corsOrigins, ['https://a.example.com', 'http://localhost:3000']);
  assert.deepEqual(config.trustedProxies, ['10.0.0.0/8', '::1', 'fd00::/8']);
  assert.equal(config.metricsOpen, false);
  assert.equal(config.apiKeysFile, undefined);
});

test('what Kubernetes sets for a Service called gantry is no mistake', () => {
  const { port } = loadConfig({
    GANTRY_PORT: 'tcp://10.0.0.1:5000',
    GANTRY_WEB_SERVICE_HOST: '10.0.0.2',
    GANTRY_WEB_PORT: 'tcp://10.0.0.2:5000',
    GANTRY_SERVICE_HOST: '10.0.0.1',
    GANTRY_SERVICE_PORT: '5000',
    GANTRY_PORT_5000_TCP: 'tcp://10.0.0.1:5000',
  });
  assert.equal(port, 5000);
});

test('docs/configuration.md is what the code says (npm run docs)', () => {
  assert.equal(
    readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8'),
    configurationPage(),
  );
});
