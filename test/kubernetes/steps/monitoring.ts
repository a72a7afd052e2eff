import assert from 'node:assert/strict';
import { readsOf } from '../../../scripts/monitoring/promql.ts';
import { allRules, dashboardExpressions } from '../../../scripts/monitoring/sources.ts';
import { eventually } from '../../services/prometheus.ts';
import { openPrometheus, type Prometheus } from '../prometheus.ts';
import { patience, rolledOut, scaleConsumer, upgrade, webServer } from '../releases.ts';
import { recovered, type Session, type Step } from '../session.ts';

const release = 'my-monitoring';
const jobs = ['gantry-consumer', 'gantry-rabbitmq', 'gantry-rabbitmq-queues', 'gantry-web'];

/** The oldest version that is promised to work, unless told otherwise; waiting as short as it can be. */
const values = [
  ...['--set', `prometheus.image.tag=${process.env.PROMETHEUS_TAG || 'v2.53.3'},prometheus.interval=2s`],
  ...['--set', 'alerts.GantryNoConsumer.for=6s'],
];

const everyTargetIsUp = (prometheus: Prometheus): Promise<void> =>
  eventually(async () => {
    const targets = await prometheus.targets();
    const up = new Set(targets.filter(({ health }) => health === 'up').map(({ labels }) => labels.job));
    const down = targets.filter(({ health }) => health !== 'up');
    const missing = jobs.filter((job) => !up.has(job));
    if (missing.length === 0 && down.length === 0) return '';
    return `not scraped: ${missing}; down: ${down.map(({ labels, lastError }) => `${labels.job} ${lastError}`)}`;
  }, 60_000);

const everyRuleIsHealthy = async (prometheus: Prometheus): Promise<void> => {
  const expected = allRules().map(({ rule }) => rule.alert ?? rule.record);
  await eventually(async () => {
    const rules = await prometheus.rules();
    assert.deepEqual(rules.map(({ name }) => name).sort(), expected.sort());
    const ill = rules.filter(({ health }) => health !== 'ok');
    return ill.map(({ name, health, lastError = '' }) => `${name} is ${health} ${lastError}`).join('; ');
  }, 60_000);
};

/** What the dashboards ask is taken by this version, and this RabbitMQ has the metrics that they show. */
const everyPanelIsAnswered = async (prometheus: Prometheus): Promise<void> => {
  const names = new Set<string>();
  for (const { where, expr } of dashboardExpressions()) {
    await prometheus.count(expr.replaceAll('$namespace', '.*')).catch((cause) => {
      throw new Error(where, { cause });
    });
    for (const { name } of readsOf(expr).selectors) if (name.startsWith('rabbitmq_')) names.add(name);
  }
  for (const name of names) assert.ok((await prometheus.count(name)) > 0, `RabbitMQ does not export ${name}`);
};

const stateOf = async (prometheus: Prometheus, alert: string): Promise<string | undefined> =>
  (await prometheus.rules()).find(({ name }) => name === alert)?.state;

const alertComesAndGoes = async (session: Session, prometheus: Prometheus): Promise<void> => {
  const alert = 'GantryNoConsumer';
  const until = (state: string): Promise<void> =>
    eventually(async () => {
      const now = await stateOf(prometheus, alert);
      return now === state ? '' : `${alert} is ${now}, not ${state}`;
    }, 60_000);
  assert.equal(await stateOf(prometheus, alert), 'inactive');
  await scaleConsumer(session, 0);
  await session.load.uploadOne();
  await until('firing');
  session.say(`${alert} fires`);
  await scaleConsumer(session, 1);
  await until('inactive');
  session.say(`${alert} has cleared`);
  await recovered(session);
};

/** Nothing of it stays: series are no images. */
const uninstalled = async ({ namespace }: Session): Promise<void> => {
  await namespace.helm('uninstall', release, '--wait');
  const selector = '--selector=app.kubernetes.io/part-of=gantry-monitoring';
  assert.equal(await namespace.kubectl('get', 'all,pvc,secret,configmap', selector, '--output=name'), '');
};

const watched: Step = {
  name: 'monitoring: everything is scraped, every rule works, an alert comes and goes with the consumer',
  async run(session) {
    const { namespace } = session;
    const set = [...values, '--set', 'grafana.enabled=false'];
    await namespace.helm('install', release, './charts/monitoring-chart', ...set);
    await rolledOut(namespace, 'deployment/prometheus');
    {
      await using prometheus = await openPrometheus(namespace);
      await everyTargetIsUp(prometheus);
      await everyRuleIsHealthy(prometheus);
      await everyPanelIsAnswered(prometheus);
      await alertComesAndGoes(session, prometheus);
    }
    const { code, out, err } = await namespace.tryHelm('test', release, '--logs', '--timeout', '3m');
    assert.equal(code, 0, `helm test ${release}: ${out}${err}`);
    await uninstalled(session);
  },
};

const grafana: Step = {
  name: 'monitoring: Grafana has the dashboards and reaches Prometheus',
  hindrance: async () =>
    process.env.TEST_GRAFANA === 'true'
      ? undefined
      : 'set TEST_GRAFANA=true where the image of Grafana can be had',
  async run(session) {
    const { namespace } = session;
    await namespace.helm('install', release, './charts/monitoring-chart', ...values);
    await rolledOut(namespace, 'deployment/grafana');
    const { data } = await namespace.get<{ data: Record<string, string> }>('secret', 'grafana-credentials');
    const [user, password] = ['username', 'password'].map((key) => Buffer.from(data[key] ?? '', 'base64'));
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    await using forward = await namespace.forward('service/grafana', 3000);
    const call = (path: string, headers: Record<string, string>): Promise<Response> =>
      fetch(`${forward.url}/api/${path}`, { headers, signal: AbortSignal.timeout(20_000) });
    assert.equal((await call('search', {})).status, 401, 'strangers see the dashboards');
    const found = await call('search?type=dash-db', { authorization });
    assert.equal(found.status, 200, await found.clone().text());
    const uids = ((await found.json()) as { uid: string }[]).map(({ uid }) => uid);
    assert.deepEqual(uids.filter((uid) => uid.startsWith('gantry-')).length, 4, uids.join(' '));
    const asked = await call('datasources/proxy/uid/prometheus/api/v1/query?query=up', { authorization });
    assert.equal(asked.status, 200, await asked.text());
    await uninstalled(session);
  },
};

const canary: Step = {
  name: 'monitoring: the canary’s CronJob passes, and monitors without the operator are refused',
  async run(session) {
    const { namespace, undo } = session;
    const before = await namespace.kubectl(
      'get',
      'pods',
      '--selector=app.kubernetes.io/name=web-server',
      '-o=name',
    );
    const off = undo('take the canary away', () => upgrade(session, webServer, '--set', 'canary.schedule='));
    // Once a year: the test starts it itself.
    await upgrade(session, webServer, '--set', 'canary.schedule=0 0 1 1 *');
    await namespace.kubectl('create', 'job', 'canary-now', '--from=cronjob/web-server-canary');
    await namespace.kubectl('wait', '--for=condition=Complete', 'job/canary-now', `--timeout=${patience}`);
    assert.match(await namespace.kubectl('logs', 'job/canary-now'), /cat/);
    await off();
    const after = await namespace.kubectl(
      'get',
      'pods',
      '--selector=app.kubernetes.io/name=web-server',
      '-o=name',
    );
    assert.equal(after, before, 'a canary restarted the web server');
    const kinds = await namespace.kubectl('api-resources', '--output=name');
    if (kinds.includes('servicemonitors.monitoring.coreos.com')) return;
    const set = ['--reuse-values', '--set', 'metrics.serviceMonitor.enabled=true'];
    const { code, err } = await namespace.tryHelm('upgrade', webServer.release, webServer.folder, ...set);
    assert.notEqual(code, 0, 'a ServiceMonitor was taken by a cluster that knows none');
    assert.match(err, /metrics\.serviceMonitor\.enabled needs the Prometheus Operator/);
  },
};

export const monitoring: readonly Step[] = [watched, grafana, canary];
