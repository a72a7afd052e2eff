import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chartFolder } from '../../scripts/charts/charts.ts';
import { kubernetesProgram, runProgram } from '../../scripts/charts/programs.ts';

type Secrets = Record<string, Record<string, string>>;

const base64 = (data: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));

/** As much of the Kubernetes API as Helm's `lookup` asks for: these Secrets, in any namespace, and nothing else. */
const api = (secrets: Secrets) => {
  const answer = (response: ServerResponse, body: object, status = 200): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const secretKind = { name: 'secrets', singularName: '', namespaced: true, kind: 'Secret', verbs: ['get'] };
  const fixed: Readonly<Record<string, object>> = {
    '/version': { major: '1', minor: '33', gitVersion: 'v1.33.0' },
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
    '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [secretKind] },
  };
  return createServer(({ url = '' }, response) => {
    const path = url.split('?')[0] ?? '';
    const [, namespace, name = ''] = /^\/api\/v1\/namespaces\/([^/]+)\/secrets\/([^/]+)$/.exec(path) ?? [];
    const data = secrets[name];
    const known = fixed[path];
    if (known) return answer(response, known);
    if (data === undefined) return answer(response, { kind: 'Status', reason: 'NotFound', code: 404 }, 404);
    // Of the release that asks, or Helm would not take it over.
    const metadata = {
      ...{ name, namespace, labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
      annotations: { 'meta.helm.sh/release-name': 'r', 'meta.helm.sh/release-namespace': namespace },
    };
    return answer(response, { apiVersion: 'v1', kind: 'Secret', metadata, data: base64(data) });
  });
};

/**
 * The YAML that one template of a chart makes on a cluster that has these Secrets already. The chart is rendered
 * without its other templates, as Helm asks the cluster for the kinds of all of them.
 */
export const renderBeside = async (
  secrets: Secrets,
  chart: string,
  template: string,
  settings: readonly string[],
): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'gantry-chart-'));
  const server = api(secrets).listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await cp(chartFolder(chart), dir, { recursive: true, dereference: true });
    for (const file of await readdir(join(dir, 'templates'))) {
      if (file !== template && !file.startsWith('_'))
        await rm(join(dir, 'templates', file), { recursive: true });
    }
    const context = { context: { cluster: 'c', user: 'u' }, name: 'c' };
    const kubeconfig = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c', contexts: [context] },
      ...{ clusters: [{ name: 'c', cluster: { server: url } }], users: [{ name: 'u', user: {} }] },
    };
    await writeFile(join(dir, 'kubeconfig'), JSON.stringify(kubeconfig));
    const { code, output, errors } = await runProgram(
      kubernetesProgram('helm'),
      [
        ...[
          'template',
          'r',
          dir,
          '--dry-run=server',
          '--disable-openapi-validation',
          '--namespace',
          'default',
        ],
        ...settings.flatMap((setting) => ['--set', setting]),
      ],
      '',
      { KUBECONFIG: join(dir, 'kubeconfig') },
    );
    if (code !== 0) throw new Error(errors);
    return output;
  } finally {
    server.close().closeAllConnections();
    await rm(dir, { recursive: true });
  }
};
