import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { List, Namespace } from './cluster.ts';

/** What is left of a failed run to look at. */
export interface Evidence {
  readonly folder: string;
  /** What most likely tells the reason. */
  readonly telling: readonly string[];
}

interface Container {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state: Readonly<Record<string, { reason?: string; message?: string; exitCode?: number }>>;
}
interface PodStatus {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly containers: readonly { name: string }[] };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { type: string; status: string; message?: string }[];
    readonly containerStatuses?: readonly Container[];
  };
}

const mostLines = 8;

const states = ({ metadata, status }: PodStatus): string[] => {
  const unscheduled = (status.conditions ?? [])
    .filter(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
    .map(({ message }) => `pod ${metadata.name} is not scheduled: ${message}`);
  const unready = (status.containerStatuses ?? [])
    .filter(({ ready, restartCount }) => !ready || restartCount > 0)
    .map(({ name, state, restartCount }) => {
      const [is = 'unknown', why] = Object.entries(state)[0] ?? [];
      const reason = [why?.reason, why?.message].filter((part) => part !== undefined).join(': ');
      return `pod ${metadata.name}: ${name} is ${is} ${reason} (${restartCount} restarts)`;
    });
  return status.phase === 'Succeeded' ? [] : [...unscheduled, ...unready];
};

/** Gantry's lines of level warn and above; RabbitMQ's and PostgreSQL's errors. */
const complaints = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => /"level":"?(40|50|60|warn|error|fatal)|\[(error|critical)\]|FATAL|PANIC/.test(line))
    .slice(-mostLines)
    .map((line) => line.slice(0, 400));

/** Writes down what the cluster says about a namespace. Never throws: the failure itself matters more. */
export const collect = async (namespace: Namespace): Promise<Evidence> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-kubernetes-'));
  const telling: string[] = [];
  const keep = async (file: string, ...args: string[]): Promise<string> => {
    const { out, err } = await namespace
      .tryKubectl(...args)
      .catch((error) => ({ out: '', err: String(error) }));
    if (out !== '' || err !== '') await writeFile(join(folder, file), out + err);
    return out;
  };
  await keep('nodes.txt', 'describe', 'nodes');
  await keep('objects.txt', 'get', 'all,pvc,pdb,hpa,secrets', '--output', 'wide');
  await keep('pods.txt', 'describe', 'pods');
  const events = await keep('events.txt', 'get', 'events', '--sort-by=.lastTimestamp');
  // Whatever starts is asked before it answers.
  const warnings = events
    .split('\n')
    .filter((line) => /\bWarning\b/.test(line) && !line.includes('Startup probe failed'));
  const pods = await namespace.get<List<PodStatus>>('pods').catch(() => ({ items: [] }));
  telling.push(...pods.items.flatMap(states), ...warnings.slice(-mostLines));
  const logs = join(folder, 'logs');
  await mkdir(logs);
  for (const { metadata, spec } of pods.items) {
    for (const { name } of spec.containers) {
      const args = ['logs', metadata.name, '--container', name];
      const current = await keep(join('logs', `${metadata.name}.${name}.log`), ...args);
      const previous = await keep(
        join('logs', `${metadata.name}.${name}.previous.log`),
        ...args,
        '--previous',
      );
      telling.push(...complaints(`${previous}\n${current}`).map((line) => `${metadata.name}: ${line}`));
    }
  }
  return { folder, telling };
};
