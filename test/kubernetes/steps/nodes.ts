import assert from 'node:assert/strict';
import { type Namespace, workers } from '../cluster.ts';
import { must } from '../command.ts';
import { allRolledOut, type Pod, patience, podsOf } from '../releases.ts';
import type { Session, Step } from '../session.ts';

const rate = 3;
const losable = process.env.KUBERNETES_LOSABLE_NODE;
const crash = process.env.KUBERNETES_CRASH_NODE;
const heal = process.env.KUBERNETES_HEAL_NODE;

const twoNodes = async ({ namespace }: Session): Promise<string | undefined> =>
  (await workers(namespace)).length < 2 ? 'it takes two nodes' : undefined;

const staying = (pods: readonly Pod[], node: string): string[] =>
  pods.filter(({ spec }) => spec.nodeName === node).map(({ metadata }) => metadata.name);

/** Labels every pod; one that was on its way out, as after an upgrade, may be gone before its turn comes. */
const labelled = async (namespace: Namespace, label: string): Promise<void> => {
  const pods = await namespace.kubectl('get', 'pods', '--output', 'name');
  for (const pod of pods.trim().split('\n')) {
    const { code, err } = await namespace.tryKubectl('label', pod, '--overwrite', label);
    assert.ok(code === 0 || err.includes('(NotFound)'), `kubectl label ${pod}: ${err}`);
  }
};

/**
 * Drains a node, waits until everything stands elsewhere, and lets it take pods again. Only of this namespace's pods:
 * what else lives in the cluster is not ours to move.
 */
const drain = async (session: Session, node: string): Promise<void> => {
  const { namespace, undo } = session;
  const mine = `gantry-test=${namespace.name}`;
  await labelled(namespace, mine);
  const uncordon = undo(`uncordon ${node}`, ({ kubectl }) => kubectl('uncordon', node));
  await namespace.kubectl(
    ...['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', `--timeout=${patience}`],
    `--pod-selector=${mine}`,
  );
  await allRolledOut(namespace);
  assert.deepEqual(staying(await podsOf(namespace), node), [], `pods stayed on ${node}`);
  await uncordon();
};

/** The node that is going to be lost comes first, so that it takes everything over from the other one. */
const inTurn = async ({ namespace, quick }: Session): Promise<string[]> => {
  const [web] = await podsOf(namespace, 'web-server');
  const first = losable ?? web?.spec.nodeName ?? '';
  const second = (await workers(namespace)).find((node) => node !== first) ?? '';
  return quick ? [losable === undefined ? first : second] : [first, second];
};

const drained: Step = {
  name: 'kubectl drain of a node after another',
  stream: rate,
  hindrance: twoNodes,
  async run(session) {
    for (const node of await inTurn(session)) await drain(session, node);
  },
};

/** Drains the node that has not the database, which is a single one. */
export const drainedSeamlessly: Step = {
  name: 'kubectl drain of a node of two web servers: not one upload refused',
  stream: rate,
  seamless: true,
  hindrance: twoNodes,
  async run(session) {
    const { namespace } = session;
    const [database] = await podsOf(namespace, 'postgresql');
    const nodes = (await workers(namespace)).filter((node) => node !== database?.spec.nodeName);
    await drain(session, nodes[0] ?? '');
  },
};

const lost: Step = {
  name: 'a node lost at once, and brought back',
  stream: rate,
  mayCostAttempts: true,
  async hindrance(session) {
    if (losable === undefined || crash === undefined || heal === undefined)
      return 'set KUBERNETES_LOSABLE_NODE, KUBERNETES_CRASH_NODE and KUBERNETES_HEAL_NODE';
    return twoNodes(session);
  },
  async run(session) {
    const { namespace, load, undo, say } = session;
    const node = losable ?? '';
    const others = (await workers(namespace)).filter((one) => one !== node);
    for (const other of others)
      if (staying(await podsOf(namespace), other).length > 0) await drain(session, other);

    const shell = (command: string, signal: AbortSignal) => must('sh', ['-c', command], signal);
    const ready = (status: string, limit: string): string[] => [
      ...['wait', `--for=condition=Ready=${status}`, `node/${node}`, `--timeout=${limit}`],
    ];
    const healed = undo(`heal ${node}`, async ({ kubectl, signal }) => {
      await shell(heal ?? '', signal);
      await kubectl(...ready('True', patience));
    });
    await shell(crash ?? '', namespace.signal);
    await namespace.kubectl(...ready('Unknown', patience));
    say(`${node} is lost`);
    // The default is to wait for the node five minutes before its pods are given up.
    const available = (is: boolean): string[] => [
      ...['wait', `--for=condition=Available=${is}`, 'deployment/web-server', '--timeout=600s'],
    ];
    await namespace.kubectl(...available(false));
    await namespace.kubectl(...available(true));
    await load.uploadOne();
    say('uploads are taken by another node');
    await healed();
    await allRolledOut(namespace);
  },
};

export const nodes: readonly Step[] = [drained, lost];
