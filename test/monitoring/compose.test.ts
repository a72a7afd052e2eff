import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config.ts';
import { promtoolMissing, promtoolProblems } from './promtool.ts';

const folder = fileURLToPath(new URL('../../deploy', import.meta.url));

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly (string | { readonly source: string })[];
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy?: { readonly replicas: number };
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, null>>;
}

const text = readFileSync(join(folder, 'compose.yaml'), 'utf8');
const compose: Compose = parse(text, { merge: true });
const services = Object.entries(compose.services);

test('web server and consumers start with these variables', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-compose-'));
  try {
    const secret = join(directory, 'secret');
    writeFileSync(secret, 'one');
    for (const name of ['web', 'consumer'] as const) {
      const environment = Object.entries(compose.services[name]?.environment ?? {}).map(
        ([variable, value]) => [
          variable,
          value.startsWith('/run/secrets/') ? secret : value.replace(/^\$\{\w+:-(.*)\}$/, '$1'),
        ],
      );
      // As the program itself reads it: an unknown or malformed one is refused.
      const { amqpUrl, amqpPassword } = loadConfig(Object.fromEntries(environment));
      assert.equal(new URL(String(amqpUrl)).hostname, 'rabbitmq');
      assert.equal(amqpPassword, 'one');
      assert.deepEqual(compose.services[name]?.command, ['gantry', name]);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('there are two consumers, which cannot write, and one of everything else', () => {
  for (const [name, { deploy }] of services)
    assert.equal(deploy?.replicas ?? 1, name === 'consumer' ? 2 : 1, name);
  assert.deepEqual(compose.services.consumer?.volumes, ['images:/data/images:ro']);
  assert.equal(compose.services.consumer?.ports, undefined);
});

test('every container is read-only, without privileges, watched, and reached from this machine only', () => {
  assert.deepEqual(
    services.map(([name]) => name),
    ['rabbitmq', 'postgresql', 'web', 'consumer', 'prometheus', 'grafana'],
  );
  for (const [name, { read_only, cap_drop, security_opt, healthcheck, ports = [], image }] of services) {
    assert.equal(read_only, true, name);
    assert.deepEqual(cap_drop, ['ALL'], name);
    assert.deepEqual(security_opt, ['no-new-privileges:true'], name);
    assert.equal(healthcheck?.test[0], 'CMD', name);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, name);
    assert.match(image, /:(?!latest).+/, name);
  }
});

test('whoever waits, waits for something healthy, and nobody for himself', () => {
  const after = (name: string, waiting: readonly string[]): void => {
    assert.ok(!waiting.includes(name), `${name} waits for itself`);
    for (const [other, { condition }] of Object.entries(compose.services[name]?.depends_on ?? {})) {
      assert.equal(condition, 'service_healthy', `${name} waits for ${other}`);
      assert.ok(compose.services[other]?.healthcheck, other);
      after(other, [...waiting, name]);
    }
  };
  for (const [name] of services) after(name, []);
});

test('images are those of the charts', () => {
  const imageOf = (chart: string, part?: string): string => {
    const values = parse(readFileSync(`${folder}/../charts/${chart}/values.yaml`, 'utf8'));
    const { repository, tag } = (part === undefined ? values : values[part]).image;
    return `${repository}:${tag || '0.1.0'}`;
  };
  assert.equal(compose.services.web?.image, imageOf('web-server-chart'));
  assert.equal(compose.services.rabbitmq?.image, imageOf('rabbitmq-chart'));
  assert.equal(compose.services.postgresql?.image, imageOf('gantry/charts/postgresql'));
  for (const name of ['prometheus', 'grafana'])
    assert.equal(compose.services[name]?.image, imageOf('monitoring-chart', name));
});

test('secrets.sh makes every secret that is named, once, and the file itself holds none', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-secrets-'));
  const make = () => execFileSync('sh', [join(folder, 'compose', 'secrets.sh'), directory]);
  try {
    make();
    const made = new Map(
      readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
    );
    const files = Object.values(compose.secrets).map(({ file }) => file.replace('./compose/secrets/', ''));
    assert.deepEqual([...made.keys()].sort(), files.sort());
    for (const [name, secret] of made)
      assert.match(secret, name === 'rabbitmq.conf' ? /^default_pass = / : /^[0-9a-f]{48}$/);
    assert.equal(made.get('rabbitmq.conf'), `default_pass = ${made.get('rabbitmq')}\n`);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    make();
    for (const [name, secret] of made)
      assert.equal(readFileSync(join(directory, name), 'utf8'), secret, name);
  } finally {
    rmSync(directory, { recursive: true });
  }
  const used = services.flatMap(([, { secrets = [] }]) =>
    secrets.map((secret) => (typeof secret === 'string' ? secret : secret.source)),
  );
  assert.deepEqual([...new Set(used)].sort(), Object.keys(compose.secrets).sort());
  for (const [name, { environment = {} }] of services)
    for (const [variable, value] of Object.entries(environment))
      if (/PASS|SECRET|TOKEN/.test(variable))
        assert.match(value, /^\/run\/secrets\//, `${name}: ${variable}`);
});

test('what is mounted is there', () => {
  for (const [name, { volumes = [] }] of services)
    for (const volume of volumes) {
      const [from = ''] = volume.split(':');
      if (from.startsWith('.')) assert.ok(existsSync(join(folder, from)), `${name}: ${from}`);
      else assert.ok(from in compose.volumes, `${name}: ${from}`);
    }
});

test('Prometheus is configured as the rules and dashboards expect it', {
  skip: promtoolMissing,
}, async () => {
  const config = readFileSync(join(folder, 'compose', 'prometheus.yml'), 'utf8');
  const { scrape_configs } = parse(config) as { scrape_configs: { job_name: string }[] };
  assert.deepEqual(
    scrape_configs.map(({ job_name }) => job_name),
    ['gantry-web', 'gantry-consumer', 'gantry-rabbitmq', 'gantry-rabbitmq-queues'],
  );
  const directory = mkdtempSync(join(tmpdir(), 'gantry-prometheus-'));
  try {
    const file = join(directory, 'prometheus.yml');
    writeFileSync(file, config.replace('/etc/prometheus/rules', join(folder, '../monitoring/rules')));
    assert.equal(await promtoolProblems('check', 'config', file), '');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('Grafana’s data source is the one that the dashboards take, and leads to Prometheus', () => {
  const read = (name: string) => parse(readFileSync(join(folder, 'compose', 'grafana', name), 'utf8'));
  const [source] = read('datasources.yaml').datasources;
  assert.deepEqual(
    [source.type, source.url, source.isDefault],
    ['prometheus', 'http://prometheus:9090', true],
  );
  const [{ options }] = read('dashboards.yaml').providers;
  assert.ok(compose.services.grafana?.volumes?.some((volume) => volume.includes(`:${options.path}:`)));
});
