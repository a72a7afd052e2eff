import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };
import { chartsIn } from '../../scripts/charts/charts.ts';
import { type KubernetesObject, nameOf, renderChart } from '../../scripts/charts/helm.ts';
import { type Ended, kubernetesProgram, runProgram } from '../../scripts/charts/programs.ts';
import { findProgram } from '../services/program.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = manifest;

const temporaryFolder = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-release-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
};

/** A script of scripts/release, as `npm run` starts it; of a copy of the project if `project` is one. */
const script = (name: string, args: string[], { project = root, env = {} } = {}): Promise<Ended> =>
  runProgram(process.execPath, [join(project, 'scripts', 'release', name), ...args], '', env);

const passed = ({ code, output, errors }: Ended): string => {
  assert.equal(code, 0, output + errors);
  return output;
};

/** What carries the version, as a project of its own that may be broken. */
const copyOfProject = (t: TestContext, changelog: string): string => {
  const project = temporaryFolder(t);
  for (const path of ['charts', 'scripts', 'package.json', 'package-lock.json', 'Dockerfile'])
    cpSync(join(root, path), join(project, path), { recursive: true, verbatimSymlinks: true });
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  writeFileSync(join(project, 'CHANGELOG.md'), changelog);
  return project;
};

const changelogOf = (last: string): string =>
  `# Changes\n\n## Unreleased\n\n- soon\n\n## ${last} (a date)\n\n- new\n\n## 0.0.1\n\n- old\n`;

test('release:check: every place has the version of the tag, and the changes are told', async (t) => {
  const project = copyOfProject(t, changelogOf(version));
  const check = (tag: string): Promise<Ended> => script('check-version.ts', [tag], { project });
  assert.match(passed(await check(`v${version}`)), /places agree/);

  for (const tag of [version, 'v1', 'v1.2.3.4', 'v1.2.3-', 'latest', ''])
    assert.equal((await check(tag)).code, 2, tag);
  const other = await check('v9.9.9');
  assert.equal(other.code, 1);
  for (const place of [
    'package.json',
    'package-lock.json',
    'Dockerfile',
    'charts: gantry,',
    'charts: postgresql',
  ])
    assert.ok(other.errors.includes(place), `${place} in\n${other.errors}`);
  assert.match(other.errors, /CHANGELOG.md has no part called 9.9.9/);

  const chart = join(project, 'charts', 'gantry', 'Chart.yaml');
  writeFileSync(chart, readFileSync(chart, 'utf8').replace(`    version: ${version}`, '    version: 0.0.9'));
  const one = await check(`v${version}`);
  assert.deepEqual(
    [one.code, one.errors],
    [1, `charts: gantry, dependency rabbitmq-chart says 0.0.9, the tag says ${version}\n`],
  );
});

test('release:notes: what the changelog says, and every change since the version before', async (t) => {
  const project = copyOfProject(t, changelogOf('1.2.3'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.com', ...args], { cwd: project });
  git('init', '--quiet');
  const commit = (subject: string, ...tags: string[]) => {
    git('commit', '--quiet', '--allow-empty', '--message', subject);
    for (const tag of tags) git('tag', tag);
  };
  commit('the first', 'v0.0.1');
  commit('tried', 'v0.0.2-rc.1');
  commit('the last', 'v1.2.3', 'v1.2.3-rc.1');
  const notes = async (...args: string[]) => passed(await script('notes.ts', args, { project }));

  const right = await notes('--tag', 'v1.2.3', '--image', 'ghcr.io/somebody/gantry@sha256:00');
  assert.match(right, /^- new\n/);
  assert.match(right, /Every change since v0\.0\.1<.*- the last \([0-9a-f]{7,}\)\n- tried /s);
  assert.doesNotMatch(right, /the first|- old|- soon/);
  assert.match(right, /`ghcr.io\/somebody\/gantry@sha256:00`/);
  // One to be tried may have no part of its own, and looks back to the one tried before.
  const trial = await notes('--tag', 'v1.2.3-rc.1');
  assert.match(trial, /^- soon\n.*since v0\.0\.2-rc\.1/s);
  assert.doesNotMatch(trial, /- tried/);
  const first = await notes('--tag', 'v0.0.1');
  assert.match(first, /^- old\n.*Every change<.*- the first/s);

  const unknown = await script('notes.ts', ['--tag', 'v3.0.0'], { project });
  assert.deepEqual([unknown.code, unknown.errors], [1, 'CHANGELOG.md has no part called 3.0.0\n']);
});

const imagesIn = (objects: KubernetesObject[]): string[] =>
  [...JSON.stringify(objects).matchAll(/"image":"([^"]+)"/g)].map(([, image = '']) => image).sort();

const image = 'ghcr.io/somebody/gantry';

test('package:charts: archives that need nothing else, and make what the folders make', async (t) => {
  const out = temporaryFolder(t);
  const runbook = 'https://example.com/somebody/gantry/runbook.md';
  passed(await script('package-charts.ts', ['--image', image, '--runbook', runbook, '--out', out]));
  const charts = chartsIn().filter(({ type }) => type === 'application');
  assert.deepEqual(readdirSync(out).sort(), charts.map(({ name }) => `${name}-${version}.tgz`).sort());
  for (const { name, folder } of charts) {
    const source = await renderChart(folder);
    const packed = await renderChart(join(out, `${name}-${version}.tgz`));
    assert.ok('objects' in source && 'objects' in packed, name);
    assert.deepEqual(packed.objects.map(nameOf), source.objects.map(nameOf), name);
    const expected = imagesIn(source.objects).map((ours) => ours.replace(/^gantry:/, `${image}:`));
    assert.deepEqual(imagesIn(packed.objects), expected.sort(), name);
  }
  const leadsTo = async (chart: string, ...set: string[]): Promise<void> => {
    const values = set.map((one) => `${one}=true`).join();
    const helm = ['template', 'a', join(out, `${chart}-${version}.tgz`), '--set', values];
    const made = passed(await runProgram(kubernetesProgram('helm'), helm, ''));
    assert.ok(made.includes(`${runbook}#gantrynoconsumer`), chart);
    assert.doesNotMatch(made, /docs\/runbook\.md/, chart);
  };
  await leadsTo('monitoring-chart', 'grafana.enabled');
  const parts = ['prometheusRule', 'dashboards'].map((part) => `web-server.metrics.${part}.enabled`);
  await leadsTo('gantry', ...parts);
  assert.equal((await script('package-charts.ts', ['--image', 'Upper/Case', '--out', out])).code, 2);
  const nowhere = ['--image', image, '--runbook', 'docs/runbook.md', '--out', out];
  assert.match((await script('package-charts.ts', nowhere)).errors, /https URL without #/);
});

test('release:assets: charts, the client, an SBOM of what runs, and checksums that sha256sum takes', async (t) => {
  const folder = temporaryFolder(t);
  const [charts, out] = [join(folder, 'charts'), join(folder, 'release')];
  mkdirSync(charts);
  const make = () => script('assets.ts', ['--charts', charts, '--out', out]);
  assert.match((await make()).errors, /there is no chart/);

  writeFileSync(join(charts, 'some-1.2.3.tgz'), 'some chart');
  passed(await make());
  const sums = passed(
    await runProgram('env', ['--chdir', out, 'sha256sum', '--check', '--strict', 'SHA256SUMS']),
  );
  assert.equal(sums, `gantry-client-${version}.tgz: OK\nsbom.cdx.json: OK\nsome-1.2.3.tgz: OK\n`);
  const bill = JSON.parse(readFileSync(join(out, 'sbom.cdx.json'), 'utf8'));
  assert.deepEqual([bill.bomFormat, bill.metadata.component.name], ['CycloneDX', 'gantry']);
  const names = bill.components.map((component: { name: string }) => component.name);
  assert.ok(names.includes('fastify'));
  assert.ok(!names.includes('typescript'), 'what only developers need is not part of it');
});

const crane = findProgram('crane', 'CRANE_PATH');

test('publish:charts: into a real registry, from which helm has them again', {
  skip: crane === undefined && 'there is no crane (npm run check:workflows builds it where there is Go)',
}, async (t) => {
  const folder = temporaryFolder(t);
  const registry = spawn(crane ?? '', ['registry', 'serve', '--address', '127.0.0.1:0']);
  t.after(async () => {
    registry.kill();
    await once(registry, 'exit');
  });
  const [line] = await once(createInterface(registry.stderr), 'line');
  const address = `127.0.0.1:${/port (\d+)$/.exec(line)?.[1]}`;
  passed(await script('package-charts.ts', ['--image', image, '--out', folder]));

  const to = `oci://${address}/somebody/gantry/charts`;
  // Nothing of the machine's own logins.
  const env = { DOCKER_CONFIG: folder, HELM_REGISTRY_CONFIG: join(folder, 'registry.json') };
  const said = passed(
    await script('publish-charts.ts', ['--from', folder, '--to', to, '--plain-http'], { env }),
  );
  const digest = /\/charts\/gantry@(sha256:[0-9a-f]{64})$/m.exec(said)?.[1];
  const helm = kubernetesProgram('helm');
  const again = await runProgram(helm, ['show', 'chart', `${to}/gantry@${digest}`, '--plain-http'], '', env);
  assert.match(passed(again), new RegExp(`^version: ${version}$`, 'm'));

  const elsewhere = ['--from', temporaryFolder(t), '--to', to];
  assert.match((await script('publish-charts.ts', elsewhere)).errors, /there is no chart in/);
  assert.equal((await script('publish-charts.ts', ['--to', 'https://example.com'])).code, 2);
});

test('publish:image: refuses what is no version, and what is no digest', async () => {
  const publish = (...args: string[]) => script('publish-image.ts', ['--image', image, ...args]);
  const digest = `sha256:${'0'.repeat(64)}`;
  assert.equal((await publish('--tag', '1.2.3', '--digest', digest)).code, 2);
  assert.equal((await publish('--tag', 'v1.2.3', '--digest=')).code, 2);
  assert.equal((await publish('--tag', 'v1.2.3', '--digest', 'latest')).code, 2);
  const none = await publish('--tag', 'v1.2.3');
  assert.deepEqual([none.code, none.errors], [1, 'there is no --digest\n']);
});

/** A kubeconfig for a cluster at this address. */
const kubeconfig = (t: TestContext, server: string): { KUBECONFIG: string } => {
  const path = join(temporaryFolder(t), 'kubeconfig');
  const named = { clusters: [{ name: 'a', cluster: { server } }], users: [{ name: 'a', user: {} }] };
  const contexts = [{ name: 'a', context: { cluster: 'a', user: 'a' } }];
  const config = { apiVersion: 'v1', kind: 'Config', ...named, contexts, 'current-context': 'a' };
  writeFileSync(path, JSON.stringify(config));
  return { KUBECONFIG: path };
};

test('deploy: a cluster that does not answer is no cluster without a release', async (t) => {
  const env = kubeconfig(t, 'https://127.0.0.1:9');
  const { code, output, errors } = await script('deploy.ts', [], { env });
  assert.equal(code, 1);
  assert.match(errors, /deployment failed: helm history gantry: .*(unreachable|refused)/i);
  // What it took for a first installation, it would remove in the end.
  assert.equal(output, '');
});

test('deploy: where there is no release it installs one, and says if that did not come to be', async (t) => {
  // An API that has nothing, and takes nothing.
  const secrets = { kind: 'SecretList', apiVersion: 'v1', items: [] };
  const api = createServer(({ method, url = '' }, response) => {
    const known = method === 'GET' && /^\/(version|api\/v1\/namespaces\/gantry\/secrets)\b/.test(url);
    response.writeHead(known ? 200 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify(known ? { ...secrets, gitVersion: 'v1.34.0' } : { kind: 'Status' }));
  }).listen(0, '127.0.0.1');
  t.after(() => api.close());
  await once(api, 'listening');
  const env = kubeconfig(t, `http://127.0.0.1:${(api.address() as AddressInfo).port}`);
  const { code, output, errors } = await script('deploy.ts', ['--timeout', '5s'], { env });
  assert.equal(code, 1);
  assert.match(output, /^== helm upgrade gantry$/m);
  // The flag that takes back what fails has another name in Helm 3 than in 4.
  assert.doesNotMatch(errors, /unknown flag|deprecated/);
  assert.match(errors, /deployment failed: helm upgrade gantry: exit code 1; gantry is not installed$/m);
});
