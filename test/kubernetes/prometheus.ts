import { setTimeout as sleep } from 'node:timers/promises';
import type { Namespace } from './cluster.ts';

export interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: 'up' | 'down' | 'unknown';
  readonly lastError: string;
}
export interface RuleState {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly health: 'ok' | 'err' | 'unknown';
  readonly lastError?: string;
  /** Of alerts. */
  readonly state?: 'inactive' | 'pending' | 'firing';
}

/** The namespace's Prometheus, by its API. https://prometheus.io/docs/prometheus/latest/querying/api/ */
export interface Prometheus extends AsyncDisposable {
  targets(): Promise<Target[]>;
  rules(): Promise<RuleState[]>;
  /** Number of series that an expression gives. Throws if Prometheus refuses it. */
  count(expression: string): Promise<number>;
}

/** Opens the way to it, by a port-forward. */
export const openPrometheus = async (namespace: Namespace): Promise<Prometheus> => {
  const forward = await namespace.forward('service/prometheus', 9090);
  const call = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${forward.url}/api/v1/${path}`, { signal: AbortSignal.timeout(20_000) });
    const body = (await response.json()) as { status: string; error?: string; data: T };
    if (body.status !== 'success') throw new Error(`Prometheus: ${path}: ${body.error}`);
    return body.data;
  };
  return {
    targets: async () => (await call<{ activeTargets: Target[] }>('targets?state=active')).activeTargets,
    rules: async () =>
      (await call<{ groups: { rules: RuleState[] }[] }>('rules')).groups.flatMap(({ rules }) => rules),
    count: async (expression) => {
      const { result } = await call<{ result: unknown[] }>(`query?query=${encodeURIComponent(expression)}`);
      return result.length;
    },
    [Symbol.asyncDispose]: () => forward[Symbol.asyncDispose](),
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
