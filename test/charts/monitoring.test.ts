import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { chartFolder } from '../../scripts/charts/charts.ts';
import { type KubernetesObject, nameOf } from '../../scripts/charts/helm.ts';
import { schemaProblems } from '../../scripts/charts/schemas.ts';
import { type Container, field, find, names, podOf, podsOf, refusal, render } from './render.ts';

const on = { enabled: true };
const web = await render('web-server-chart', {
  metrics: { serviceMonitor: on, prometheusRule: on, dashboards: on },
  canary: { schedule: '*/10 * * * *' },
});
const consumer = await render('consumer-chart', { metrics: { podMonitor: on } });
const rabbitmq = await render('rabbitmq-chart', { metrics: { serviceMonitor: on } });
const monitoring = await render('monitoring-chart');

type Endpoint = { port: string; path: string; params?: object; relabelings: { replacement: string }[] };
type Group = { name: string; rules: Record<string, unknown>[] };
type ScrapeConfig = {
  job_name: string;
  metrics_path?: string;
  params?: object;
  relabel_configs: { regex?: string }[];
};

const rulesFolder = chartFolder('monitoring-chart/files/rules');
const written: Group[] = readdirSync(rulesFolder)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .flatMap((name) => parse(readFileSync(join(rulesFolder, name), 'utf8')).groups);

const dataOf = (objects: KubernetesObject[], name: string): Record<string, string> =>
  field<Record<string, string>>(find(objects, name), 'data') ?? {};
const prometheusOf = (objects: KubernetesObject[]) => {
  const data = dataOf(objects, 'ConfigMap/prometheus');
  return {
    config: parse(data['prometheus.yml'] ?? ''),
    groups: parse(data['rules.yaml'] ?? '').groups as Group[],
  };
};

test('nothing of the operator, no dashboards and no canary unless they are asked for', async () => {
  for (const chart of ['web-server-chart', 'consumer-chart', 'rabbitmq-chart', 'gantry']) {
    const objects = await render(chart);
    assert.ok(!objects.some(({ apiVersion }) => apiVersion.startsWith('monitoring.coreos.com/')), chart);
    assert.ok(!names(objects).some((name) => /dashboards|CronJob/.test(name)), chart);
  }
});

test('monitors name ports that are there, by the jobs that rules and dashboards go by', () => {
  const endpoints = (object: KubernetesObject, list: string): Endpoint[] =>
    field<Endpoint[]>(object, `spec.${list}`) ?? [];
  const jobs = (found: Endpoint[]): string[] =>
    found.map(({ relabelings }) => relabelings[0]?.replacement ?? '');
  for (const [objects, service, expected] of [
    [web, 'web-server', ['gantry-web']],
    [rabbitmq, 'rabbitmq', ['gantry-rabbitmq', 'gantry-rabbitmq-queues']],
  ] as const) {
    const found = endpoints(find(objects, `ServiceMonitor/${service}`), 'endpoints');
    assert.deepEqual(jobs(found), expected);
    const ports = field<{ name: string }[]>(find(objects, `Service/${service}`), 'spec.ports') ?? [];
    for (const { port } of found)
      assert.ok(
        ports.some(({ name }) => name === port),
        port,
      );
    const { labels = {} } = find(objects, `Service/${service}`).metadata;
    const wanted = field<Record<string, string>>(
      find(objects, `ServiceMonitor/${service}`),
      'spec.selector.matchLabels',
    );
    for (const [key, value] of Object.entries(wanted ?? {})) assert.equal(labels[key], value);
  }
  const found = endpoints(find(consumer, 'PodMonitor/consumer'), 'podMetricsEndpoints');
  assert.deepEqual(jobs(found), ['gantry-consumer']);
  const ports = podOf(consumer, 'Deployment/consumer').containers[0]?.ports ?? [];
  assert.ok(ports.some(({ name }) => name === found[0]?.port));
});

test('monitoring-chart scrapes the same, by containers and ports that the charts have', () => {
  const { config } = prometheusOf(monitoring);
  const configs: ScrapeConfig[] = config.scrape_configs;
  assert.deepEqual(
    configs.map(({ job_name }) => job_name),
    ['gantry-web', 'gantry-consumer', 'gantry-rabbitmq', 'gantry-rabbitmq-queues'],
  );
  const pods = [...podsOf(web), ...podsOf(consumer), ...podsOf(rabbitmq)];
  for (const { job_name, relabel_configs } of configs) {
    const [partOf, container, port] = relabel_configs[0]?.regex?.split(';') ?? [];
    const there = pods.filter(
      ({ labels, spec }) =>
        labels['app.kubernetes.io/part-of'] === partOf &&
        spec.containers.some(
          ({ name, ports = [] }) => name === container && ports.some((one) => one.name === port),
        ),
    );
    assert.equal(there.length, 1, job_name);
  }
  const [, queues] = field<Endpoint[]>(find(rabbitmq, 'ServiceMonitor/rabbitmq'), 'spec.endpoints') ?? [];
  assert.equal(configs[3]?.metrics_path, queues?.path);
  assert.deepEqual(configs[3]?.params, queues?.params);
});

test('where /metrics wants a key, Prometheus sends one from a Secret; without it the monitor is refused', async () => {
  const endpointOf = (objects: KubernetesObject[]) =>
    field<{ authorization?: object }[]>(find(objects, 'ServiceMonitor/web-server'), 'spec.endpoints')?.[0];
  assert.equal(endpointOf(web)?.authorization, undefined);
  const closed = { apiKeys: on, config: { metricsOpen: false } };
  for (const values of [
    closed,
    { ...closed, config: { metricsOpen: 'false' } },
    { apiKeys: on, extraEnv: [{ name: 'GANTRY_METRICS_OPEN', value: 'false' }] },
    { global: { apiKeys: on }, config: { metricsOpen: false } },
  ]) {
    const metrics = { serviceMonitor: on };
    const refused = await refusal('web-server-chart', { ...values, metrics });
    assert.match(refused, /metrics\.serviceMonitor\.keySecret\.name: .* API key with the scope read/);
  }
  const keySecret = { name: 'prometheus-key', key: 'token' };
  const objects = await render('web-server-chart', {
    ...closed,
    metrics: { serviceMonitor: { ...on, keySecret } },
  });
  assert.deepEqual(endpointOf(objects)?.authorization, { type: 'Bearer', credentials: keySecret });
  // Open all the same, by default; or no monitor, or no keys.
  await render('web-server-chart', { apiKeys: on, metrics: { serviceMonitor: on } });
  await render('web-server-chart', closed);
  await render('web-server-chart', { config: { metricsOpen: false }, metrics: { serviceMonitor: on } });

  const prometheus = await render('monitoring-chart', { prometheus: { keySecret } });
  const [ofWeb, ...others]: { authorization?: { type: string; credentials_file: string } }[] =
    prometheusOf(prometheus).config.scrape_configs;
  assert.ok(others.every(({ authorization }) => authorization === undefined));
  assert.equal(ofWeb?.authorization?.type, 'Bearer');
  const { containers, volumes = [] } = podOf(prometheus, 'Deployment/prometheus');
  const mount = containers[0]?.volumeMounts?.find(
    ({ mountPath }) => `${mountPath}/token` === ofWeb?.authorization?.credentials_file,
  );
  assert.equal(mount?.readOnly, true);
  assert.equal(volumes.find(({ name }) => name === mount?.name)?.secret?.secretName, 'prometheus-key');
  const { scrape_configs: open } = prometheusOf(monitoring).config;
  assert.equal(JSON.stringify(open).includes('authorization'), false);
});

test('the operator and monitoring-chart get every rule as it is written', () => {
  const ofOperator = field<Group[]>(find(web, 'PrometheusRule/web-server'), 'spec.groups');
  assert.ok(written.length > 20);
  assert.deepEqual(ofOperator, written);
  assert.deepEqual(prometheusOf(monitoring).groups, written);
});

test('single alerts can be changed and switched off, in both charts alike; one that there is not is refused', async () => {
  const alerts = {
    GantryNoConsumer: { for: '9m', labels: { severity: 'info' } },
    GantryTargetDown: { enabled: false },
  };
  const runbookUrl = 'https://wiki.example.com/runbook';
  const changed = await render('web-server-chart', {
    metrics: { runbookUrl, prometheusRule: { enabled: true, alerts } },
  });
  const groups = field<Group[]>(find(changed, 'PrometheusRule/web-server'), 'spec.groups') ?? [];
  assert.deepEqual(prometheusOf(await render('monitoring-chart', { alerts, runbookUrl })).groups, groups);
  const rule = groups.flatMap(({ rules }) => rules).find(({ alert }) => alert === 'GantryNoConsumer') ?? {};
  assert.equal(rule.for, '9m');
  assert.deepEqual(rule.labels, { severity: 'info' });
  assert.equal(field(rule, 'annotations.runbook_url'), `${runbookUrl}#gantrynoconsumer`);
  assert.match(field<string>(rule, 'annotations.summary') ?? '', /nobody takes them/);
  assert.ok(!JSON.stringify(groups).includes('GantryTargetDown'));
  const wrong = { GantryNoConsumr: { enabled: false } };
  assert.match(await refusal('monitoring-chart', { alerts: wrong }), /no alert GantryNoConsumr/);
  const values = { metrics: { prometheusRule: { enabled: true, alerts: wrong } } };
  assert.match(await refusal('web-server-chart', values), /no alert GantryNoConsumr/);
});

test('dashboards come as they were generated, where the sidecar or Grafana looks for them', async () => {
  const folder = chartFolder('monitoring-chart/files/dashboards');
  const made = readdirSync(folder).sort();
  for (const [objects, name] of [
    [web, 'ConfigMap/web-server-dashboards'],
    [monitoring, 'ConfigMap/grafana-dashboards'],
  ] as const) {
    const data = dataOf(objects, name);
    assert.deepEqual(Object.keys(data).sort(), made);
    for (const file of made)
      assert.deepEqual(
        JSON.parse(data[file] ?? ''),
        JSON.parse(readFileSync(join(folder, file), 'utf8')),
        file,
      );
  }
  assert.equal(find(web, 'ConfigMap/web-server-dashboards').metadata.labels?.grafana_dashboard, '1');
  const elsewhere = await render('monitoring-chart', { runbookUrl: 'https://wiki.example.com/runbook' });
  assert.ok(!JSON.stringify(elsewhere).includes('docs/runbook.md'));
});

test('Grafana lets nobody in without the password, and has Prometheus and the dashboards', async () => {
  const grafana = podOf(monitoring, 'Deployment/grafana');
  const container = grafana.containers[0] as Container;
  const env = new Map((container.env ?? []).map(({ name, value }) => [name, value]));
  assert.equal(env.get('GF_AUTH_ANONYMOUS_ENABLED'), 'false');
  const mounts = new Map((container.volumeMounts ?? []).map(({ mountPath, name }) => [mountPath, name]));
  const password = env.get('GF_SECURITY_ADMIN_PASSWORD__FILE') ?? '';
  assert.equal(mounts.get(password.replace(/\/[^/]*$/, '')), 'credentials');
  assert.ok(password.endsWith('/password') && dataOf(monitoring, 'Secret/grafana-credentials').password);
  const provisioning = dataOf(monitoring, 'ConfigMap/grafana');
  const [source] = parse(provisioning['datasources.yaml'] ?? '').datasources;
  const service = new URL(source.url);
  const ports = field<{ port: number }[]>(find(monitoring, `Service/${service.hostname}`), 'spec.ports');
  assert.equal(ports?.[0]?.port, Number(service.port));
  const [provider] = parse(provisioning['dashboards.yaml'] ?? '').providers;
  assert.equal(mounts.get(provider.options.path), 'dashboards');
  const home = env.get('GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH') ?? '';
  assert.ok(home.startsWith(`${provider.options.path}/`));
  assert.ok((home.split('/').at(-1) ?? '') in dataOf(monitoring, 'ConfigMap/grafana-dashboards'));
  const without = await render('monitoring-chart', { grafana: { enabled: false } });
  assert.ok(!names(without).some((name) => name.includes('grafana')));
});

test('monitoring-chart keeps to its names and its namespace', async () => {
  const one = await render('monitoring-chart', {}, { release: 'one' });
  assert.deepEqual(names(one), names(await render('monitoring-chart', {}, { release: 'my-other' })));
  for (const object of one)
    assert.equal(object.metadata.labels?.['app.kubernetes.io/part-of'], 'gantry-monitoring', nameOf(object));
  for (const { kubernetes_sd_configs } of prometheusOf(monitoring).config.scrape_configs)
    assert.deepEqual(kubernetes_sd_configs, [{ role: 'pod', namespaces: { own_namespace: true } }]);
});

test('alerts are sent on only where somebody is named, and the way there is open', async () => {
  assert.equal(prometheusOf(monitoring).config.alerting, undefined);
  const objects = await render('monitoring-chart', { alertmanagers: ['one:9093', 'two:9094'] });
  const [{ static_configs }] = prometheusOf(objects).config.alerting.alertmanagers;
  assert.deepEqual(static_configs, [{ targets: ['one:9093', 'two:9094'] }]);
  const egress = JSON.stringify(field(find(objects, 'NetworkPolicy/prometheus'), 'spec.egress'));
  assert.match(egress, /"port":9093.*"port":9094/);
  assert.match(await refusal('monitoring-chart', { alertmanagers: ['http://u:p@one'] }), /alertmanagers/);
});

test('the canary is one run at a time, tries once, and is no part of the web server', () => {
  const job = find(web, 'CronJob/web-server-canary');
  assert.equal(field(job, 'spec.concurrencyPolicy'), 'Forbid');
  assert.equal(field(job, 'spec.jobTemplate.spec.backoffLimit'), 0);
  const limit = Number(field(job, 'spec.jobTemplate.spec.activeDeadlineSeconds'));
  const [pod] = podsOf([job]);
  const [container] = pod?.spec.containers ?? [];
  assert.deepEqual(container?.args?.slice(0, 2), ['gantry', 'canary']);
  assert.ok(limit > Number.parseInt(container?.args?.at(-1) ?? '', 10));
  assert.deepEqual(container?.env, podOf(web, 'Pod/web-server-test').containers[0]?.env);
});

test('an invalid schedule is refused', async () => {
  assert.match(await refusal('web-server-chart', { canary: { schedule: '10m' } }), /schedule/);
});

test('the operator’s schemas refuse what it does not know', async () => {
  const monitor = structuredClone(find(web, 'ServiceMonitor/web-server'));
  Object.assign(field<object[]>(monitor, 'spec.endpoints')?.[0] ?? {}, { intervall: '1s' });
  const rule = structuredClone(find(web, 'PrometheusRule/web-server'));
  Object.assign(field<Group[]>(rule, 'spec.groups')?.[0]?.rules[0] ?? {}, { exprs: 'up' });
  const [ofMonitor, ofRule, ofKind] = await schemaProblems(
    [monitor, rule, { ...monitor, kind: 'ServiceMonitors' }],
    ['1.35'],
  );
  assert.match(ofMonitor?.join() ?? '', /^Prometheus Operator 0\.\d+: .*intervall/);
  assert.match(ofRule?.join() ?? '', /exprs/);
  assert.match(ofKind?.join() ?? '', /no schema of ServiceMonitors/);
});
