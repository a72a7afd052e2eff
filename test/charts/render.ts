import assert from 'node:assert/strict';
import { allCharts, type Chart, casesOf, chartFolder } from '../../scripts/charts/charts.ts';
import { type KubernetesObject, nameOf, type Rendering, renderChart } from '../../scripts/charts/helm.ts';

export type Container = {
  name: string;
  image: string;
  args?: string[];
  command?: string[];
  env?: { name: string; value?: string; valueFrom?: { secretKeyRef?: { name: string } } }[];
  ports?: { name: string; containerPort: number }[];
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  securityContext?: Record<string, unknown>;
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> };
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop?: { exec?: { command: string[] } } };
};
export type Probe = { httpGet?: { port: string | number }; tcpSocket?: { port: string | number } };
export type Volume = {
  name: string;
  secret?: { secretName: string };
  persistentVolumeClaim?: { claimName: string; readOnly?: boolean };
  hostPath?: unknown;
};
export type PodSpec = {
  containers: Container[];
  initContainers?: Container[];
  volumes?: Volume[];
  securityContext?: Record<string, unknown>;
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  terminationGracePeriodSeconds?: number;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
};
export type Pod = { owner: string; labels: Record<string, string>; spec: PodSpec };

/** What a chart makes of values; `chart` is its path below charts/. Fails the test if it refuses them. */
export const render = async (
  chart: string,
  values: object = {},
  options: Rendering = {},
): Promise<KubernetesObject[]> => {
  const rendering = await renderChart(chartFolder(chart), { ...options, values });
  if ('refused' in rendering) assert.fail(`${chart} refuses ${JSON.stringify(values)}: ${rendering.refused}`);
  return rendering.objects;
};

/** Why a chart refuses values. Fails the test if it takes them. */
export const refusal = async (chart: string, values: object, options: Rendering = {}): Promise<string> => {
  const rendering = await renderChart(chartFolder(chart), { ...options, values });
  if ('objects' in rendering) assert.fail(`${chart} takes ${JSON.stringify(values)}`);
  return rendering.refused;
};

/** Every case of every chart, rendered. */
export const renderAll = async (): Promise<{ chart: Chart; name: string; objects: KubernetesObject[] }[]> =>
  Promise.all(
    allCharts()
      .filter(({ type }) => type === 'application')
      .flatMap((chart) => casesOf(chart).map((trial) => ({ chart, trial })))
      .map(async ({ chart, trial }) => {
        const rendering = await renderChart(chart.folder, trial);
        if ('refused' in rendering) assert.fail(`${chart.name} ${trial.name}: ${rendering.refused}`);
        return { chart, name: `${chart.name} ${trial.name}`, objects: rendering.objects };
      }),
  );

/** `Kind/name` of every object, sorted. */
export const names = (objects: KubernetesObject[]): string[] => objects.map(nameOf).sort();

/** The object called `Kind/name`. Fails the test if there is none. */
export const find = (objects: KubernetesObject[], name: string): KubernetesObject => {
  const found = objects.find((object) => nameOf(object) === name);
  assert.ok(found, `${name} is not among ${names(objects).join(', ')}`);
  return found;
};

/** A field somewhere in an object, such as `spec.template.spec`; undefined if it is not there. */
export const field = <T>(object: object, path: string): T | undefined =>
  path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], object) as
    | T
    | undefined;

/** The pods that objects would start, those of tests and jobs included; a StatefulSet's claims are among their volumes. */
export const podsOf = (objects: KubernetesObject[]): Pod[] =>
  objects.flatMap((object) => {
    const template =
      object.kind === 'Pod'
        ? object
        : field<KubernetesObject>(
            object,
            object.kind === 'CronJob' ? 'spec.jobTemplate.spec.template' : 'spec.template',
          );
    if (!template?.spec) return [];
    const spec = template.spec as PodSpec;
    const claims = field<KubernetesObject[]>(object, 'spec.volumeClaimTemplates') ?? [];
    const volumes = [...(spec.volumes ?? []), ...claims.map(({ metadata }) => ({ name: metadata.name }))];
    return [{ owner: nameOf(object), labels: template.metadata.labels ?? {}, spec: { ...spec, volumes } }];
  });

/** The pod that `Kind/name` would start. */
export const podOf = (objects: KubernetesObject[], owner: string): PodSpec => {
  const [pod] = podsOf([find(objects, owner)]);
  assert.ok(pod, `${owner} has no pod`);
  return pod.spec;
};

/** All containers of a pod, those that prepare it included. */
export const containersOf = ({ containers, initContainers = [] }: PodSpec): Container[] => [
  ...initContainers,
  ...containers,
];
