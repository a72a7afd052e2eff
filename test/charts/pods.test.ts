import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { chartFolder } from '../../scripts/charts/charts.ts';
import { duration } from '../../src/setting-kinds.ts';
import { environmentName, type SettingName, settingNames, settings } from '../../src/settings.ts';
import {
  containersOf,
  field,
  find,
  names,
  type PodSpec,
  podOf,
  podsOf,
  render,
  renderAll,
} from './render.ts';

const configOf = (names: SettingName[]): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, settings[name].default ?? '1']));

const all = await renderAll();
const pods = all.flatMap(({ name, objects }) =>
  podsOf(objects).map((pod) => ({ ...pod, objects, where: `${name}: ${pod.owner}` })),
);

test('every pod passes Pod Security "restricted"', () => {
  assert.ok(pods.length > 20);
  for (const { spec, where } of pods) {
    assert.equal(spec.hostNetwork ?? spec.hostPID ?? spec.hostIPC, undefined, where);
    for (const volume of spec.volumes ?? []) assert.equal(volume.hostPath, undefined, where);
    const { runAsNonRoot, runAsUser, seccompProfile } = spec.securityContext ?? {};
    assert.equal(runAsNonRoot, true, where);
    assert.ok(Number.isInteger(runAsUser) && Number(runAsUser) > 0, `${where}: numeric user`);
    assert.deepEqual(seccompProfile, { type: 'RuntimeDefault' }, where);
    for (const { name, securityContext = {} } of containersOf(spec)) {
      const container = `${where}: ${name}`;
      assert.equal(securityContext.allowPrivilegeEscalation, false, container);
      assert.equal(securityContext.privileged ?? false, false, container);
      assert.equal(securityContext.readOnlyRootFilesystem, true, container);
      assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] }, container);
      assert.equal(securityContext.runAsUser, undefined, container);
    }
  }
});

test('no pod can talk to Kubernetes, but for Prometheus, which may list the pods of its namespace', () => {
  for (const { spec, where } of pods) assert.equal(spec.automountServiceAccountToken, false, where);
  for (const { chart, objects } of all) {
    for (const account of objects.filter(({ kind }) => kind === 'ServiceAccount')) {
      assert.equal(account.automountServiceAccountToken, false);
    }
    const roles = objects.filter(({ kind }) => /Role/.test(kind));
    if (chart.name !== 'monitoring-chart') assert.deepEqual(names(roles), []);
    else assert.deepEqual(names(roles), ['Role/prometheus', 'RoleBinding/prometheus']);
    for (const role of roles.filter(({ kind }) => kind === 'Role'))
      assert.deepEqual(role.rules, [
        { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
      ]);
  }
});

test('every container says what it needs and what it may take', () => {
  for (const { spec, where } of pods) {
    for (const { name, resources } of containersOf(spec)) {
      for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
        assert.ok(resources?.requests?.[resource], `${where}: ${name}: request of ${resource}`);
        assert.ok(resources?.limits?.[resource], `${where}: ${name}: limit of ${resource}`);
      }
    }
  }
});

test('whatever serves has probes, and its liveness asks nothing else than itself', () => {
  for (const { spec, where, owner } of pods) {
    if (/^(Pod|CronJob)\//.test(owner)) continue;
    for (const { startupProbe, readinessProbe, livenessProbe } of spec.containers) {
      for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
        assert.ok(probe?.httpGet ?? probe?.tcpSocket, `${where}: a probe without a command`);
      }
      const path = field(livenessProbe ?? {}, 'httpGet.path');
      assert.ok(path === undefined || path === '/healthz', where);
    }
  }
});

test('mounts, ports and accounts that are named are there', () => {
  for (const { spec, where, objects } of pods) {
    const volumes = (spec.volumes ?? []).map(({ name }) => name);
    const mounted = new Set<string>();
    for (const container of containersOf(spec)) {
      const paths = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath);
      assert.equal(new Set(paths).size, paths.length, `${where}: one path, two mounts`);
      for (const { name } of container.volumeMounts ?? []) {
        assert.ok(volumes.includes(name), `${where}: volume ${name}`);
        mounted.add(name);
      }
      const ports = (container.ports ?? []).map(({ name }) => name);
      for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
        const port = probe?.httpGet?.port ?? probe?.tcpSocket?.port;
        if (typeof port === 'string') assert.ok(ports.includes(port), `${where}: port ${port}`);
      }
    }
    assert.deepEqual(
      volumes.filter((name) => !mounted.has(name)),
      [],
      where,
    );
    const { serviceAccountName } = spec;
    if (serviceAccountName) find(objects, `ServiceAccount/${serviceAccountName}`);
  }
});

test('what selects pods selects those of its own rendering, and no test pod', () => {
  const selectors = { Service: 'spec.selector', NetworkPolicy: 'spec.podSelector.matchLabels' };
  for (const { name, objects } of all) {
    for (const object of objects) {
      const path =
        selectors[object.kind as keyof typeof selectors] ??
        (field(object, 'spec.selector.matchLabels') ? 'spec.selector.matchLabels' : undefined);
      if (!path) continue;
      const wanted = Object.entries(field<Record<string, string>>(object, path) ?? {});
      const selected = podsOf(objects).filter(({ labels }) =>
        wanted.every(([key, value]) => labels[key] === value),
      );
      const owners = selected.map(({ owner }) => owner);
      assert.equal(owners.length, 1, `${name}: ${object.kind}/${object.metadata.name} selects ${owners}`);
      assert.doesNotMatch(owners[0] ?? '', /^(Pod|CronJob)\//);
    }
  }
});

test('pods have the time that their drain may take', async () => {
  const phase = duration(0).parse(settings.shutdownTimeout.default ?? '') / 1000;
  const pauseOf = ({ containers }: PodSpec): number =>
    Number(containers[0]?.lifecycle?.preStop?.exec?.command.find((word) => /^\d+$/.test(word)) ?? 0);
  const web = podOf(await render('web-server-chart'), 'Deployment/web-server');
  // requests, pipeline, broker, store (src/commands/web.ts)
  assert.ok((web.terminationGracePeriodSeconds ?? 0) > pauseOf(web) + 4 * phase);
  const consumer = podOf(await render('consumer-chart'), 'Deployment/consumer');
  // images at work, workers, broker (src/commands/consumer.ts)
  assert.ok((consumer.terminationGracePeriodSeconds ?? 0) > pauseOf(consumer) + 3 * phase);
});

test('the charts set variables that Gantry knows, as it ends at one that it does not', () => {
  const known = new Set(['GANTRY_URL', 'GANTRY_API_KEY_FILE']);
  for (const name of settingNames) known.add(environmentName(name)).add(`${environmentName(name)}_FILE`);
  for (const { spec, where } of pods) {
    for (const { env = [] } of containersOf(spec)) {
      const variables = env.map(({ name }) => name).filter((name) => name.startsWith('GANTRY_'));
      for (const name of variables) assert.ok(known.has(name), `${where}: ${name}`);
      assert.equal(new Set(variables).size, variables.length, `${where}: a variable twice`);
    }
  }
});

// What the charts set from other values or for themselves; the grace periods fit the default drain.
const setOtherwise =
  /^(host|port|metricsPort|shutdownTimeout|dataDir|imagesDir|workers|apiKeysFile|s3.*|amqp.*|database(Url|Username|Password|Ca))$/;

test('config takes every setting by its name that no other value sets', async () => {
  const taken = new Set<string>();
  for (const [chart, owner] of [
    ['web-server-chart', 'Deployment/web-server'],
    ['consumer-chart', 'Deployment/consumer'],
  ] as const) {
    const schema = JSON.parse(readFileSync(join(chartFolder(chart), 'values.schema.json'), 'utf8'));
    const names = Object.keys(schema.properties.config.properties) as SettingName[];
    const { env = [] } = podOf(await render(chart, { config: configOf(names) }), owner).containers[0] ?? {};
    for (const name of names) {
      assert.ok(settingNames.includes(name), `${chart}: ${name} is no setting`);
      const variable = env.find((one) => one.name === environmentName(name));
      assert.equal(variable?.value, settings[name].default ?? '1', `${chart}: ${name}`);
      taken.add(name);
    }
  }
  assert.deepEqual(
    settingNames.filter((name) => !taken.has(name) && !setOtherwise.test(name)),
    [],
  );
});
