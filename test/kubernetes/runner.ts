import { randomBytes } from 'node:crypto';
import { createNamespace, type Namespace, nodeAddress, openNamespace, removeNamespace } from './cluster.ts';
import { collect } from './evidence.ts';
import { balance, type Ledger } from './ledger.ts';
import { createLoad } from './load.ts';
import { streamed } from './pictures.ts';
import { type Done, stepLine } from './report.ts';
import { recovered, type Scenario, type Session, type Step } from './session.ts';

export interface Options {
  readonly image: string | undefined;
  readonly quick: boolean;
  /** Whether the namespace stays. */
  readonly keep: boolean;
  /** Aborted when the run is interrupted. */
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  /** Takes what may go on beside the next scenario, but not beyond the run. */
  readonly later: (work: Promise<void>) => void;
}

/** What came of a scenario. */
export interface Outcome {
  readonly done: readonly Done[];
  /** Undefined if it failed before, or has none. */
  readonly ledger: Ledger | undefined;
}

const stepLimitMs = 900_000;
const cleanUpLimitMs = 300_000;

/** A session in a new namespace, and the end of it. */
const openSession = async (scenario: Scenario, options: Options) => {
  const { signal, print, image, quick } = options;
  const namespace = await createNamespace(`gantry-test-${randomBytes(3).toString('hex')}`, signal);
  const undoing = new Map<string, () => Promise<void>>();
  const over = new AbortController();
  const address = await nodeAddress(namespace);
  let url = 'http://not-installed.invalid';
  const load = createLoad({
    url: () => url,
    pictures: await streamed(),
    name: namespace.name,
    signal: AbortSignal.any([signal, over.signal]),
  });
  const session: Session = {
    ...{ namespace, load, image, quick },
    url: () => url,
    async findUrl() {
      const port = 'jsonpath={.spec.ports[0].nodePort}';
      url = `http://${address}:${await namespace.kubectl('get', 'service/web-server', '--output', port)}`;
    },
    undo(what, action) {
      const now = async (): Promise<void> => {
        if (!undoing.delete(what)) return;
        // Also after an interruption, which has ended every other command.
        await action(openNamespace(namespace.name, AbortSignal.timeout(cleanUpLimitMs)));
      };
      undoing.set(what, now);
      return now;
    },
    say: (text) => print(`         ${text}`),
  };
  const undoAll = async (): Promise<void> => {
    for (const [what, now] of [...undoing].reverse())
      await now().catch((error) => print(`could not ${what}: ${error}`));
  };
  return {
    session,
    undoAll,
    async close() {
      over.abort(new Error('the scenario is over'));
      await undoAll();
      if (options.keep) print(`namespace ${namespace.name} (${scenario.name}) stays`);
      else options.later(removeNamespace(openNamespace(namespace.name, AbortSignal.timeout(cleanUpLimitMs))));
    },
  };
};

/** With what caused it: `fetch failed` alone tells nothing. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
};

/** Rejects when the signal aborts: not everything that a step waits for listens to it. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

const runStep = async (name: string, step: Step, whole: Session): Promise<Done> => {
  const namespace = whole.namespace.until(AbortSignal.timeout(stepLimitMs));
  const session: Session = { ...whole, namespace };
  const { load } = session;
  const began = Date.now();
  const ended = (outcome: Done['outcome'], reason?: string): Done => {
    const uploads = [...load.accepted.values()].filter(({ begunAt }) => begunAt >= began);
    return {
      ...{ name, outcome, began, seconds: (Date.now() - began) / 1000, uploads: uploads.length },
      ...(reason === undefined ? {} : { reason }),
      refused: uploads.reduce((sum, { refused }) => sum + refused, 0),
      longestWaitMs: Math.max(0, ...uploads.map(({ begunAt, acceptedAt }) => acceptedAt - begunAt)),
    };
  };
  try {
    const hindrance = await step.hindrance?.(session);
    if (hindrance !== undefined) return ended('skipped', hindrance);
    const run = async (): Promise<void> => {
      if (step.stream !== undefined) load.pace(step.stream);
      await step.run(session);
      if (step.stream === undefined) return;
      await recovered(session);
      load.pace(0);
      await load.settled();
    };
    await Promise.race([run(), aborted(namespace.signal)]);
    const done = ended('passed');
    if (!step.seamless || done.refused === 0) return done;
    return { ...done, outcome: 'failed', reason: `${done.refused} uploads were refused` };
  } catch (error) {
    load.pace(0);
    return ended('failed', messageOf(error));
  }
};

/** Ascribes attempts beyond the first to the step during which an image was uploaded. */
const ascribe = (done: readonly Done[], { stored }: Ledger, { load }: Session): Done[] =>
  done.map((step) => {
    const until = step.began + step.seconds * 1000;
    const met = [...load.accepted.values()].filter(
      ({ begunAt }) => begunAt >= step.began && begunAt <= until,
    );
    const attemptsLost = met.reduce(
      (sum, { id }) => sum + Math.max(0, (stored.get(id)?.attempts ?? 1) - 1),
      0,
    );
    return { ...step, attemptsLost };
  });

const showEvidence = async (namespace: Namespace, print: Options['print']): Promise<void> => {
  const { folder, telling } = await collect(
    openNamespace(namespace.name, AbortSignal.timeout(cleanUpLimitMs)),
  );
  for (const line of telling) print(`         ${line}`);
  print(`         all of it: ${folder}`);
};

/** Runs the chosen steps of a scenario in a new namespace, up to the first that fails, and balances the books. */
export const runScenario = async (
  scenario: Scenario,
  chosen: readonly Step[],
  options: Options,
): Promise<Outcome> => {
  const { print } = options;
  const { session, undoAll, close } = await openSession(scenario, options);
  const done: Done[] = [];
  const failed = async (): Promise<void> => {
    await undoAll();
    if (!options.signal.aborted) await showEvidence(session.namespace, print);
  };
  try {
    for (const step of [...(scenario.setup === undefined ? [] : [scenario.setup]), ...chosen]) {
      const one = await runStep(`${scenario.name}: ${step.name}`, step, session);
      options.signal.throwIfAborted();
      done.push(one);
      print(stepLine(one));
      if (one.outcome !== 'failed') continue;
      await failed();
      return { done, ledger: undefined };
    }
    if (scenario.setup === undefined) return { done, ledger: undefined };

    let ledger: Ledger | undefined;
    const books: Step = {
      name: 'the books balance: nothing lost, nothing twice',
      async run(within) {
        ledger = await balance(within, scenario.strangers ?? false);
        if (ledger.problems.length > 0) throw new Error(ledger.problems.join('\n'));
      },
    };
    const balanced = await runStep(`${scenario.name}: ${books.name}`, books, session);
    options.signal.throwIfAborted();
    const known = ledger === undefined ? done : ascribe(done, ledger, session);
    const wasteful = known.filter(
      ({ attemptsLost = 0 }, index) =>
        attemptsLost > 0 && !([scenario.setup, ...chosen][index]?.mayCostAttempts ?? false),
    );
    const last: Done =
      wasteful.length === 0
        ? balanced
        : {
            ...balanced,
            outcome: 'failed',
            reason: [
              ...(balanced.reason === undefined ? [] : [balanced.reason]),
              ...wasteful.map(({ name, attemptsLost }) => `${name} cost ${attemptsLost} attempts`),
            ].join('\n'),
          };
    print(stepLine(last));
    if (last.outcome === 'failed') await failed();
    return { done: [...known, last], ledger };
  } finally {
    await close();
  }
};
