import { type PrometheusApi, prometheusAt } from '../services/prometheus.ts';
import type { Namespace } from './cluster.ts';

/** The namespace's Prometheus. */
export type Prometheus = PrometheusApi & AsyncDisposable;

/** Opens the way to it, by a port-forward. */
export const openPrometheus = async (namespace: Namespace): Promise<Prometheus> => {
  const forward = await namespace.forward('service/prometheus', 9090);
  return { ...prometheusAt(forward.url), [Symbol.asyncDispose]: () => forward[Symbol.asyncDispose]() };
};
