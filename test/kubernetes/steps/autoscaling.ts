import { consumer, patience, patienceMs, rolledOut, upgrade } from '../releases.ts';
import type { Step } from '../session.ts';

/** A target that even a small model's load passes, and scaling down at once instead of after five minutes. */
const values = {
  autoscaling: {
    enabled: true,
    minReplicas: 1,
    maxReplicas: 3,
    targetCPUUtilizationPercentage: 20,
    behavior: { scaleDown: { stabilizationWindowSeconds: 10 } },
  },
};
/** Uploads a second. One takes some 10 ms of a processor: together twice what the target allows. */
const rate = 20;
const metrics = 'apiservice/v1beta1.metrics.k8s.io';

export const autoscaling: Step = {
  name: 'the HorizontalPodAutoscaler takes consumers up under load, and down again',
  async hindrance({ namespace }) {
    const { code } = await namespace.tryKubectl('get', metrics);
    return code === 0 ? undefined : 'the cluster has no metrics server';
  },
  async run(session) {
    const { namespace, load, say } = session;
    // The step before may have lost the node that it was on.
    await namespace.kubectl('wait', '--for=condition=Available', metrics, `--timeout=${patience}`);
    await upgrade(session, consumer, '--set-json', `autoscaling=${JSON.stringify(values.autoscaling)}`);
    await rolledOut(namespace, consumer.workload);
    const replicas = (done: (count: number) => boolean): Promise<string> =>
      namespace.watch('deployment/consumer', '.spec.replicas', (text) => done(Number(text)), patienceMs);
    load.pace(rate);
    say(`${await replicas((count) => count > 1)} consumers`);
    await rolledOut(namespace, consumer.workload);
    load.pace(0);
    await replicas((count) => count === 1);
    await upgrade(session, consumer, '--set', 'autoscaling.enabled=false');
    await rolledOut(namespace, consumer.workload);
  },
};
