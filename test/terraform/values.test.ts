import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { chartFolder } from '../../scripts/charts/charts.ts';
import { type KubernetesObject, nameOf, renderChart } from '../../scripts/charts/helm.ts';
import { kedaProblems } from '../../scripts/charts/keda.ts';
import { schemaProblems } from '../../scripts/charts/schemas.ts';
import { renderTemplate } from '../../scripts/terraform/templates.ts';
import { field, find, podOf, podsOf } from '../charts/render.ts';
import { type Case, cases } from './cases.ts';

const foundationChart = fileURLToPath(
  new URL('../../deploy/terraform/gantry/charts/gantry-foundation', import.meta.url),
);

const rendered = async (folder: string, release: string, template: string, variables: object) => {
  const values = parse(renderTemplate(template, { ...variables }));
  const rendering = await renderChart(folder, { values, release });
  if ('refused' in rendering) assert.fail(rendering.refused);
  return rendering.objects;
};

const releasesOf = async ({ gantry, foundation }: Case) => ({
  gantry: await rendered(chartFolder('gantry'), 'gantry', 'gantry', gantry),
  foundation: await rendered(foundationChart, 'gantry-foundation', 'foundation', foundation),
});

type ExternalSecret = {
  target: { name: string };
  data: { secretKey: string; remoteRef: { key: string; property: string } }[];
};
const externalSecrets = (objects: KubernetesObject[]) =>
  objects.filter(({ kind }) => kind === 'ExternalSecret').map(({ spec }) => spec as ExternalSecret);

/** Keys by Secret that pods take from mounted files and variables; no keys: all of it is mounted. */
const keysUsed = (objects: KubernetesObject[]): Map<string, Set<string>> => {
  const used = new Map<string, Set<string>>();
  const note = (secret: string, keys: string[]): void => {
    used.set(secret, new Set([...(used.get(secret) ?? []), ...keys]));
  };
  for (const { spec } of podsOf(objects)) {
    const volumes = (spec.volumes ?? []) as {
      secret?: { secretName: string; items?: { key: string }[] };
    }[];
    for (const { secret } of volumes) {
      if (secret)
        note(
          secret.secretName,
          (secret.items ?? []).map(({ key }) => key),
        );
    }
    for (const { env = [] } of spec.containers) {
      for (const { value = '' } of env) {
        const [, file] = /^\/etc\/gantry\/database\/(.+)$/.exec(value) ?? [];
        if (file) note('database', [file]);
      }
    }
  }
  return used;
};

for (const one of cases) {
  test(`charts take the values that Terraform makes: ${one.name}`, async () => {
    const { gantry, foundation } = await releasesOf(one);
    // What external-secrets defines is not among Kubernetes' schemas.
    const known = foundation.filter(({ apiVersion }) => !apiVersion.startsWith('external-secrets.io/'));
    const objects = [...gantry, ...known];
    const problems = (await schemaProblems(objects, ['1.35'])).flatMap((found, index) =>
      found.map((problem) => `${nameOf(objects[index] as KubernetesObject)}: ${problem}`),
    );
    assert.deepEqual([...problems, ...kedaProblems(objects)], []);
  });
}

const [onAws, inBucket, forTrials, ownSecrets] = cases as [Case, Case, Case, Case];

test('external-secrets makes every Secret that pods need, with every key', async () => {
  for (const one of [onAws, inBucket]) {
    const { gantry, foundation } = await releasesOf(one);
    const made = new Map(
      externalSecrets(foundation).map(({ target, data }) => [
        target.name,
        data.map((item) => item.secretKey),
      ]),
    );
    for (const { kind, metadata } of [...foundation, ...gantry])
      if (kind === 'Secret') made.set(metadata.name, []);
    const used = keysUsed([...gantry, ...foundation]);
    for (const name of used.keys()) {
      if (name !== 'database') assert.ok(made.has(name), `${one.name}: nobody makes the Secret ${name}`);
    }
    const sorted = (keys: Iterable<string> = []) => [...keys].sort();
    assert.deepEqual(sorted(made.get('database-credentials-1')), sorted(used.get('database')), one.name);
    const queue = 'rabbitmq-credentials-1';
    // RabbitMQ itself mounts the whole Secret, and takes the cookie too.
    const cookie = one === inBucket ? ['erlang-cookie'] : [];
    assert.deepEqual(sorted(made.get(queue)), sorted([...cookie, ...(used.get(queue) ?? [])]), one.name);
  }
});

test('the cookie of RabbitMQ comes out of a secret of its own', async () => {
  const { foundation } = await releasesOf(inBucket);
  const credentials = externalSecrets(foundation).find(
    ({ target }) => target.name === 'rabbitmq-credentials-1',
  );
  const cookie = credentials?.data.find(({ secretKey }) => secretKey === 'erlang-cookie');
  assert.match(cookie?.remoteRef.key ?? '', /:cookie$/);
  assert.equal(cookie?.remoteRef.property, 'cookie');
});

test('web server and consumer share the volume of the access point', async () => {
  const { gantry, foundation } = await releasesOf(onAws);
  for (const owner of ['Deployment/web-server', 'Deployment/consumer']) {
    const claims = (podOf(gantry, owner).volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
      persistentVolumeClaim ? [persistentVolumeClaim.claimName] : [],
    );
    assert.deepEqual(claims, ['gantry-images'], owner);
  }
  const volume = find(foundation, 'PersistentVolume/gantry-images');
  assert.equal(field(volume, 'spec.csi.volumeHandle'), 'fs-0123::fsap-4567');
  assert.equal(field(volume, 'spec.claimRef.name'), 'gantry-images');
  assert.equal(field(volume, 'spec.persistentVolumeReclaimPolicy'), 'Retain');
});

test('in S3 pods get to the agent of Pod Identity, and mount no images', async () => {
  const { gantry } = await releasesOf(inBucket);
  for (const name of ['web-server', 'consumer']) {
    const policy = JSON.stringify(find(gantry, `NetworkPolicy/${name}`).spec);
    assert.match(policy, /169\.254\.170\.23\/32/, name);
    const { volumes = [] } = podOf(gantry, `Deployment/${name}`);
    assert.ok(!volumes.some((volume) => volume.persistentVolumeClaim), name);
  }
});

test('the load balancer speaks TLS and lets in who may', async () => {
  const { gantry } = await releasesOf(onAws);
  const { metadata } = find(gantry, 'Ingress/web-server');
  const annotation = (name: string) => metadata.annotations?.[`alb.ingress.kubernetes.io/${name}`];
  assert.equal(annotation('certificate-arn'), 'arn:aws:acm:eu-central-1:123456789012:certificate/1');
  assert.equal(annotation('inbound-cidrs'), '198.51.100.0/24,203.0.113.7/32');
  assert.equal(annotation('ssl-redirect'), '443');
});

test('consumers follow the queue of Amazon MQ', async () => {
  const { gantry } = await releasesOf(onAws);
  const [trigger] =
    field<{ metadata: Record<string, string> }[]>(find(gantry, 'ScaledObject/consumer'), 'spec.triggers') ??
    [];
  assert.equal(trigger?.metadata.host, 'https://mq.example.com');
  assert.equal(trigger?.metadata.vhostName, '/');
});

test('a new password is another Job and another Secret', async () => {
  const jobOf = async (version: number) => {
    const variables = { ...onAws.foundation, database_secret: `database-credentials-${version}` };
    const { foundation } = await releasesOf({ ...onAws, foundation: variables });
    return foundation.find(({ kind }) => kind === 'Job')?.metadata.name;
  };
  const [first, second] = [await jobOf(1), await jobOf(2)];
  assert.ok(first && second && first !== second);
});

test('without Secrets Manager nothing asks for external-secrets, and no user is made', async () => {
  for (const one of [forTrials, ownSecrets]) {
    const { foundation } = await releasesOf(one);
    assert.deepEqual(foundation.map(nameOf), [], one.name);
  }
});
