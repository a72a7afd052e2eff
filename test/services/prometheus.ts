import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './free-port.ts';
import { findProgram } from './program.ts';

export interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}
export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}
export interface RuleState {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** Of alerts. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** A Prometheus, by its API. https://prometheus.io/docs/prometheus/latest/querying/api/ */
export interface PrometheusApi {
  targets(): Promise<Target[]>;
  rules(): Promise<RuleState[]>;
  /** Those that are not inactive. */
  alerts(): Promise<Alert[]>;
  /** Number of series that an expression gives. Throws if Prometheus refuses it. */
  count(expression: string): Promise<number>;
}

/** The API of the Prometheus at this address. */
export const prometheusAt = (url: string): PrometheusApi => {
  const call = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}/api/v1/${path}`, { signal: AbortSignal.timeout(20_000) });
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`Prometheus: ${path}: ${body.error}`);
    return body.data;
  };
  return {
    targets: async () => (await call<{ activeTargets: Target[] }>('targets?state=active')).activeTargets,
    rules: async () =>
      (await call<{ groups: { rules: RuleState[] }[] }>('rules')).groups.flatMap(({ rules }) => rules),
    alerts: async () => (await call<{ alerts: Alert[] }>('alerts')).alerts,
    count: async (expression) => {
      const { result } = await call<{ result: unknown[] }>(`query?query=${encodeURIComponent(expression)}`);
      return result.length;
    },
  };
};

const pollMs = 500;

/** Asks until the answer is as it should be; throws with what is missing after `limitMs`. */
export const eventually = async (missing: () => Promise<string>, limitMs: number): Promise<void> => {
  const late = performance.now() + limitMs;
  for (;;) {
    const what = await missing();
    if (what === '') return;
    if (performance.now() > late) throw new Error(`${what}, after ${limitMs / 1000} s`);
    await sleep(pollMs);
  }
};

const program = (): string | undefined => findProgram('prometheus', 'PROMETHEUS_PATH');

/** Why there is no Prometheus here, for a test's `skip`; false if there is one. */
export const prometheusMissing = (): string | false =>
  program() === undefined && 'Prometheus is not installed (Debian: apt-get install prometheus)';

/**
 * A real Prometheus of this test's own, on a free port of 127.0.0.1, with these files in its folder; `prometheus.yml`
 * is what it reads. Resolves when it answers; `dispose` ends it and removes the folder.
 */
export const startPrometheus = async (
  files: Readonly<Record<string, string>>,
): Promise<PrometheusApi & { dispose(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-prometheus-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  const [port = 0] = await freePorts(1);
  const child = spawn(
    program() ?? 'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: 'ignore' },
  );
  const ended = once(child, 'exit');
  const dispose = async (): Promise<void> => {
    child.kill();
    await ended;
    await rm(folder, { recursive: true });
  };
  const ready = async (): Promise<string> => {
    if (child.exitCode !== null) throw new Error(`Prometheus has ended with ${child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/-/ready`).catch(() => undefined);
    return answer?.ok ? '' : 'Prometheus does not answer';
  };
  try {
    await eventually(ready, 60_000);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { ...prometheusAt(`http://127.0.0.1:${port}`), dispose };
};
