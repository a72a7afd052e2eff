import assert from 'node:assert/strict';
import type { List, Namespace } from '../cluster.ts';
import { allRolledOut, patience, podsOf, rolledOut, webServer } from '../releases.ts';
import { recovered, type Session, type Step } from '../session.ts';

interface Secret {
  readonly metadata: { readonly name: string };
  readonly type: string;
  readonly data?: Readonly<Record<string, string>>;
}

/** What our Secrets hold, in clear, by `name/key`; not the names of users, nor Helm's own records. */
const secretsOf = async ({ get }: Namespace): Promise<Map<string, string>> => {
  const { items } = await get<List<Secret>>('secrets');
  const values = items
    .filter(({ type }) => type !== 'helm.sh/release.v1')
    .flatMap(({ metadata, data = {} }) =>
      Object.entries(data).map(
        ([key, value]) => [`${metadata.name}/${key}`, Buffer.from(value, 'base64').toString()] as const,
      ),
    );
  return new Map(values.filter(([name]) => !name.endsWith('/username')));
};

/** Command lines of every process in a pod, as anybody with a shell there, or on the node, sees them. */
const processesIn = ({ kubectl }: Namespace, pod: string): Promise<string> =>
  kubectl('exec', pod, '--', 'sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "');

/** Everything that is read without the right to read Secrets, by where it was read. */
const readable = async ({ namespace }: Session): Promise<Map<string, string>> => {
  const texts = new Map<string, string>();
  for (const { name } of JSON.parse(await namespace.helm('list', '--output', 'json')) as { name: string }[])
    texts.set(`helm get values ${name}`, await namespace.helm('get', 'values', '--all', name));
  for (const { metadata } of await podsOf(namespace)) {
    const { name } = metadata;
    texts.set(`the log of ${name}`, await namespace.kubectl('logs', name, '--all-containers'));
    texts.set(`the processes of ${name}`, await processesIn(namespace, name));
  }
  const kinds = 'pods,deployments,statefulsets,configmaps,services,events';
  texts.set(kinds, await namespace.kubectl('get', kinds, '--output', 'yaml'));
  return texts;
};

const holds = (texts: ReadonlyMap<string, string>, what: string): boolean =>
  [...texts].some(([where, text]) => where.startsWith(what) && text.length > 20);

/** Asserts that no Secret's value, in clear or in base64, is readable elsewhere. */
const assertKept = async (session: Session): Promise<void> => {
  const { namespace } = session;
  const secrets = await secretsOf(namespace);
  assert.ok(secrets.size > 0, 'there is no Secret to be kept');
  let texts = await readable(session);
  if (!holds(texts, 'the log of web-server')) {
    // A node drops logs when it tidies up, also of pods that go on. A new pod has one, at least of its start.
    await namespace.kubectl('rollout', 'restart', webServer.workload);
    await rolledOut(namespace, webServer.workload);
    texts = await readable(session);
  }
  for (const what of ['helm get values', 'the log of web-server', 'the processes of consumer'])
    assert.ok(holds(texts, what), `no ${what}`);
  for (const [where, text] of texts)
    for (const [name, value] of secrets)
      for (const form of [value, Buffer.from(value).toString('base64')])
        assert.ok(!text.includes(form), `${where}: holds ${name}`);
};

export const kept: Step = {
  name: 'no secret in logs, process lists, values and objects',
  run: assertKept,
};

/** As docs/operations.md has it. */
export const rotated: Step = {
  name: 'the password of RabbitMQ rotated: not one upload refused, nothing else restarted',
  thorough: true,
  stream: 3,
  seamless: true,
  async run(session) {
    const { namespace } = session;
    const before = (await secretsOf(namespace)).get('rabbitmq-credentials/password');
    const ours = async () =>
      (await podsOf(namespace)).filter(({ metadata }) => metadata.name !== 'rabbitmq-0');
    const running = (await ours()).map(({ metadata }) => metadata.uid);
    const next = crypto.randomUUID().replaceAll('-', '');
    const patch = JSON.stringify({ stringData: { password: next } });
    await namespace.kubectl('patch', 'secret', 'rabbitmq-credentials', '--patch', patch);
    await namespace.helm('upgrade', 'my-rabbitmq', './charts/rabbitmq-chart', '--reset-then-reuse-values');
    await namespace.kubectl('rollout', 'status', 'statefulset/rabbitmq', `--timeout=${patience}`);
    await allRolledOut(namespace);
    const after = (await secretsOf(namespace)).get('rabbitmq-credentials/password');
    assert.deepEqual([after, after === before], [next, false]);
    assert.deepEqual(
      (await ours()).map(({ metadata }) => metadata.uid),
      running,
    );
    // The kubelet takes a minute or two until the pods have it.
    await recovered(session);
    await assertKept(session);
  },
};
