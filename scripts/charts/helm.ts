import { parseAllDocuments } from 'yaml';
import type { Case } from './charts.ts';
import { kubernetesProgram, runProgram } from './programs.ts';

/** A rendered object. What is in it is checked against Kubernetes' schemas, not by types. */
export type KubernetesObject = {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
};

export type Rendering = {
  /** Values file of a case; the values below are stronger. */
  file?: string | undefined;
  values?: object | undefined;
  release?: string;
  namespace?: string;
  /** Version of the cluster to render for. */
  kubeVersion?: string;
};

/** `Kind/name`, as kubectl writes it. */
export const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind}/${metadata.name}`;

// One line for each chart that is linked to; it says that all is well.
const withoutNotices = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith('level=INFO') && line.trim() !== '')
    .join('\n');

/** YAML as Kubernetes reads it: version 1.1, in which 0440 is octal; a repeated key is an error. */
export const parseObjects = (text: string): KubernetesObject[] =>
  parseAllDocuments(text, { version: '1.1', uniqueKeys: true }).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw Object.assign(new Error(error.message, { cause: error }), { code: 'NOT_YAML' });
    const object: KubernetesObject | null = document.toJS();
    return object === null ? [] : [object];
  });

/** What `helm template` makes of a chart, or why it (or the chart) refuses the values. */
export const renderChart = async (
  folder: string,
  { file, values, release = 'trial', namespace = 'gantry', kubeVersion }: Rendering = {},
): Promise<{ objects: KubernetesObject[] } | { refused: string }> => {
  const { code, output, errors } = await runProgram(
    kubernetesProgram('helm'),
    [
      ...['template', release, folder, '--namespace', namespace],
      ...(file ? ['--values', file] : []),
      ...(values ? ['--values', '-'] : []),
      ...(kubeVersion ? ['--kube-version', kubeVersion] : []),
    ],
    values ? JSON.stringify(values) : '',
  );
  if (code !== 0) return { refused: withoutNotices(errors) };
  return { objects: parseObjects(output) };
};

/** What `helm lint --strict` has against a chart with these values; nothing if it is right. */
export const lintChart = async (folder: string, { file }: Case): Promise<string[]> => {
  const { code, output, errors } = await runProgram(kubernetesProgram('helm'), [
    ...['lint', '--strict', folder],
    ...(file ? ['--values', file] : []),
  ]);
  if (code === 0) return [];
  const complaints = output.split('\n').filter((line) => /^\[(ERROR|WARNING)\]/.test(line));
  return complaints.length > 0 ? complaints : [withoutNotices(errors)];
};
