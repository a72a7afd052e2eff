import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubernetesObject } from '../../scripts/charts/helm.ts';
import { digestOf, idOf } from '../../src/access/api-key.ts';
import { parseKeys } from '../../src/access/key-file.ts';
import { renderBeside } from './found-secrets.ts';
import { type Container, field, find, names, podOf, podsOf, refusal, render } from './render.ts';

const decoded = (objects: KubernetesObject[], secret: string, key: string): string =>
  Buffer.from(
    field<Record<string, string>>(find(objects, `Secret/${secret}`), 'data')?.[key] ?? '',
    'base64',
  ).toString();
const secretsOf = (objects: KubernetesObject[]): string[] =>
  names(objects).filter((name) => /^Secret\/.*(api-keys|admin-key)$/.test(name));
const variable = ({ env = [] }: Container, name: string): string | undefined =>
  env.find((one) => one.name === name)?.value;
const [on, global] = [{ apiKeys: { enabled: true } }, { global: { apiKeys: { enabled: true } } }];

/** The Secrets with a key of every pod that checks. */
const canaryKeys = (objects: KubernetesObject[]): Record<string, string> =>
  Object.fromEntries(
    podsOf(objects).flatMap(({ owner, spec }) => {
      const secret = spec.volumes?.find(({ name }) => name === 'api-key')?.secret?.secretName;
      return secret === undefined ? [] : [[owner, secret]];
    }),
  );

test('access is open by default: no Secret, no setting', async () => {
  for (const chart of ['web-server-chart', 'gantry', 'consumer-chart']) {
    const objects = await render(chart);
    assert.deepEqual(secretsOf(objects), []);
    assert.deepEqual(canaryKeys(objects), {});
    assert.equal(JSON.stringify(objects).includes('API_KEY'), false);
  }
});

test('one value makes an admin key that the server knows again by its digest', async () => {
  const made = new Set<string>();
  for (const [chart, values] of [
    ['web-server-chart', on],
    ['gantry', global],
  ] as const) {
    const objects = await render(chart, values);
    assert.deepEqual(secretsOf(objects).sort(), [
      'Secret/web-server-admin-key',
      'Secret/web-server-api-keys',
    ]);
    const key = decoded(objects, 'web-server-admin-key', 'key');
    const file = decoded(objects, 'web-server-api-keys', 'api-keys.json');
    const [entry, ...others] = parseKeys('api-keys.json', file);
    assert.deepEqual([entry?.id, entry?.scopes, others], [idOf(key), ['admin'], []]);
    assert.equal(entry?.sha256, digestOf(key).toString('hex'));
    assert.equal(file.includes(key.slice(20)), false);
    made.add(key);

    const { containers, volumes = [] } = podOf(objects, 'Deployment/web-server');
    const [container] = containers;
    assert.ok(container);
    const path = variable(container, 'GANTRY_API_KEYS_FILE') ?? '';
    const mount = container.volumeMounts?.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
    assert.equal(mount?.readOnly, true);
    const volume = volumes.find(({ name }) => name === mount?.name);
    assert.equal(volume?.secret?.secretName, 'web-server-api-keys');
    assert.equal(
      volumes.some(({ secret }) => secret?.secretName === 'web-server-admin-key'),
      false,
      'the server has no use for a whole key',
    );
  }
  assert.equal(made.size, 2);
});

test('whoever checks has a key: helm test of both charts, and the CronJob', async () => {
  const objects = await render('gantry', { ...global, 'web-server': { canary: { schedule: '@hourly' } } });
  assert.deepEqual(canaryKeys(objects), {
    'CronJob/web-server-canary': 'web-server-admin-key',
    'Pod/consumer-test': 'web-server-admin-key',
    'Pod/web-server-test': 'web-server-admin-key',
  });
  for (const { owner, spec } of podsOf(objects)) {
    if (!(owner in canaryKeys(objects))) continue;
    const [container] = spec.containers;
    assert.ok(container);
    const path = variable(container, 'GANTRY_API_KEY_FILE') ?? '';
    assert.ok(
      container.volumeMounts?.some(({ mountPath }) => path === `${mountPath}/key`),
      owner,
    );
    assert.doesNotMatch(container.args?.join(' ') ?? '', /gantry_/);
  }
  const named = await render('consumer-chart', { test: { keySecret: 'other' } });
  assert.deepEqual(canaryKeys(named), { 'Pod/consumer-test': 'other' });
});

test('keys that are there already are mounted, and none are made', async () => {
  const apiKeys = { enabled: true, existingSecret: 'ours' };
  const objects = await render('web-server-chart', { apiKeys, test: { keySecret: 'ours-admin' } });
  assert.deepEqual(secretsOf(objects), []);
  const { volumes = [] } = podOf(objects, 'Deployment/web-server');
  assert.ok(volumes.some(({ secret }) => secret?.secretName === 'ours'));
  assert.deepEqual(canaryKeys(objects), { 'Pod/web-server-test': 'ours-admin' });
  assert.deepEqual(canaryKeys(await render('web-server-chart', { apiKeys })), {});
});

test('the Secrets stay when the release goes, unless told otherwise', async () => {
  const policies = async (keep?: boolean): Promise<unknown[]> => {
    const apiKeys = { enabled: true, ...(keep === undefined ? {} : { keep }) };
    const objects = await render('web-server-chart', { apiKeys });
    return secretsOf(objects).map(
      (name) => find(objects, name).metadata.annotations?.['helm.sh/resource-policy'],
    );
  };
  assert.deepEqual(await policies(), ['keep', 'keep']);
  assert.deepEqual(await policies(false), [undefined, undefined]);
});

test('names follow fullnameOverride', async () => {
  const objects = await render('web-server-chart', { ...on, fullnameOverride: 'pictures' });
  assert.deepEqual(secretsOf(objects).sort(), ['Secret/pictures-admin-key', 'Secret/pictures-api-keys']);
  assert.deepEqual(canaryKeys(objects), { 'Pod/pictures-test': 'pictures-admin-key' });
});

test('what would leave access open by mistake, or helm test without a key, is refused', async () => {
  assert.match(
    await refusal('web-server-chart', { apiKeys: { existingSecret: 'ours' } }),
    /apiKeys\.existingSecret needs apiKeys\.enabled/,
  );
  assert.match(await refusal('web-server-chart', { apiKeys: { enabeld: true } }), /enabeld/);
  assert.match(await refusal('web-server-chart', { apiKeys: { enabled: 'yes' } }), /enabled/);
  assert.match(await refusal('gantry', { 'web-server': on }), /global\.apiKeys\.enabled/);
  await render('gantry', { 'web-server': on, consumer: { test: { keySecret: 'web-server-admin-key' } } });
});

test('an upgrade keeps what the Secrets hold, and what was taken away stays away', async () => {
  const key = `gantry_abcdefghijkl_${'x'.repeat(43)}`;
  const [mine, admin] = [{ 'api-keys.json': '{"mine": 1}' }, { key }];
  const upgraded = async (secrets: Parameters<typeof renderBeside>[0]): Promise<Record<string, string>> => {
    const yaml = await renderBeside(secrets, 'web-server-chart', 'api-keys.yaml', ['apiKeys.enabled=true']);
    const data = [...yaml.matchAll(/^ {2}(api-keys\.json|key): (\S+)$/gm)];
    return Object.fromEntries(
      data.map(([, name, text = '']) => [name, Buffer.from(text, 'base64').toString()]),
    );
  };
  const [keys, own] = ['web-server-api-keys', 'web-server-admin-key'];
  assert.deepEqual(await upgraded({ [keys]: mine, [own]: admin }), { ...mine, ...admin });
  assert.deepEqual(await upgraded({ [keys]: mine }), mine);
  const { key: kept, 'api-keys.json': anew = '' } = await upgraded({ [own]: admin });
  assert.equal(kept, key);
  const [entry] = parseKeys('api-keys.json', anew);
  assert.deepEqual([entry?.id, entry?.sha256], ['abcdefghijkl', digestOf(key).toString('hex')]);
  assert.deepEqual(Object.keys(await upgraded({})).sort(), ['api-keys.json', 'key']);
});
