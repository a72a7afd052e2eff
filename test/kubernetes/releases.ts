import type { List, Namespace } from './cluster.ts';
import type { Session } from './session.ts';

/** A chart as the guide installs it. */
export interface Chart {
  readonly release: string;
  readonly folder: string;
  readonly workload: string;
  /** Whether it runs the project's own image. */
  readonly ours: boolean;
}

export const rabbitmq: Chart = {
  release: 'my-rabbitmq',
  folder: './charts/rabbitmq-chart',
  workload: 'statefulset/rabbitmq',
  ours: false,
};
export const webServer: Chart = {
  release: 'my-web-server',
  folder: './charts/web-server-chart',
  workload: 'deployment/web-server',
  ours: true,
};
export const consumer: Chart = {
  release: 'my-consumer',
  folder: './charts/consumer-chart',
  workload: 'deployment/consumer',
  ours: true,
};
/** In the guide's order. */
export const charts: readonly Chart[] = [rabbitmq, webServer, consumer];

/** A rollout takes this long at most: images are pulled, databases recovered. */
export const patience = '300s';
export const patienceMs = 300_000;

/** `name:tag` as values; nothing for the image that the charts name themselves. */
export const imageValues = (image: string | undefined, prefix = 'image'): string[] => {
  if (image === undefined) return [];
  const colon = image.lastIndexOf(':');
  const [repository, tag] = [image.slice(0, colon), image.slice(colon + 1)];
  return ['--set', `${prefix}.repository=${repository}`, '--set-string', `${prefix}.tag=${tag}`];
};

const valuesOf = ({ ours }: Chart, { image }: Session): string[] => (ours ? imageValues(image) : []);

/** `helm install` with no value but the image; does not wait. */
export const install = async (session: Session, chart: Chart): Promise<void> => {
  await session.namespace.helm('install', chart.release, chart.folder, ...valuesOf(chart, session));
  if (chart === webServer) await session.findUrl();
};

/** `helm upgrade` with one value changed. */
export const upgrade = async (session: Session, chart: Chart, ...values: string[]): Promise<void> => {
  const { namespace } = session;
  await namespace.helm('upgrade', chart.release, chart.folder, '--reuse-values', ...values);
};

/** Waits until a workload has what it was asked for. */
export const rolledOut = async ({ kubectl }: Namespace, workload: string): Promise<void> => {
  await kubectl('rollout', 'status', workload, `--timeout=${patience}`);
};

/** Waits until all three have what they were asked for. */
export const allRolledOut = async (namespace: Namespace): Promise<void> => {
  for (const { workload } of charts) await rolledOut(namespace, workload);
};

/** Throws as soon as a container's image cannot be had, which no patience mends. */
const imageMissed = async (namespace: Namespace): Promise<void> => {
  const reason = await namespace.watch(
    'pods',
    '.status.containerStatuses[*].state.waiting.reason',
    (reasons) => /ImagePullBackOff|ErrImageNeverPull|InvalidImageName/.test(reasons),
    patienceMs,
  );
  throw new Error(`the cluster cannot get an image (${reason}): set GANTRY_IMAGE, or build it with --build`);
};

/** Waits until all three, and other workloads that are named, run for the first time. */
export const installed = async (namespace: Namespace, ...others: string[]): Promise<void> => {
  const over = new AbortController();
  const within = namespace.until(over.signal);
  const running = async (): Promise<void> => {
    for (const workload of others) await rolledOut(within, workload);
    await allRolledOut(within);
  };
  const both = [running(), imageMissed(within)];
  try {
    await Promise.race(both);
  } finally {
    over.abort();
    await Promise.allSettled(both);
  }
};

export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: { readonly phase: string };
}

/** Pods of what was installed, or of one workload; not those that are on their way out. */
export const podsOf = async ({ get }: Namespace, name?: string): Promise<readonly Pod[]> => {
  const selector = `app.kubernetes.io/${name === undefined ? 'part-of=gantry' : `name=${name}`}`;
  const { items } = await get<List<Pod>>('pods', '--selector', selector);
  return items.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined && ['Running', 'Pending'].includes(status.phase),
  );
};

/** Scales the consumers and waits until there are just so many. */
export const scaleConsumer = async ({ namespace }: Session, replicas: number): Promise<void> => {
  await namespace.kubectl('scale', 'deployment/consumer', `--replicas=${replicas}`);
  await rolledOut(namespace, 'deployment/consumer');
  if (replicas > 0) return;
  // Those that end still work on what they have taken.
  await namespace.kubectl(
    ...['wait', '--for=delete', `--timeout=${patience}`, 'pod', '--selector=app.kubernetes.io/name=consumer'],
  );
};
