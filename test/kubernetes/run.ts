/**
 * Tries the charts and the image on the cluster that kubectl's current context names:
 * `node test/kubernetes/run.ts --help`.
 */
import { parseArgs } from 'node:util';
import { nodeAddress, openNamespace } from './cluster.ts';
import { CommandError, must } from './command.ts';
import { asTable, type Balanced, type Done } from './report.ts';
import { type Options, runScenario } from './runner.ts';
import { scenarios } from './scenarios.ts';

const help = `node test/kubernetes/run.ts [--quick] [--only PATTERN] [--list] [--keep] [--build COMMAND]

Installs the charts into fresh namespaces of the cluster that kubectl's current context names, breaks what runs there
while pictures are uploaded, and proves that nothing accepted was lost or done twice. It cordons nodes, and drains them
of its own pods.

  --quick          what fits into a few minutes
  --only PATTERN   only steps whose name matches (a regular expression); their installation is made in any case
  --list           the names of the steps
  --keep           leave the namespaces
  --build COMMAND  run this first, in the project's folder; it puts the image into the cluster (also GANTRY_BUILD)

  GANTRY_IMAGE     the image, name:tag; otherwise the one that the charts name
  TEST_GRAFANA     true: the image of Grafana can be had, and it is tried too
  PROMETHEUS_TAG   of its image; otherwise the oldest that is promised to work
  NODE_ADDRESS     where node ports are reached; otherwise the first node's own address
  KUBERNETES_LOSABLE_NODE, KUBERNETES_CRASH_NODE, KUBERNETES_HEAL_NODE
                   the name of a node, and commands that lose it at once and bring it back

kubectl and helm are taken from PATH, or from node_modules/.cache/gantry/kubernetes/bin (npm run installs them there).
`;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const options = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  list: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  build: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

const usage = (error: unknown): never => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${help}`);
  process.exit(2);
};

const parse = () => {
  try {
    const { values } = parseArgs({ options });
    return { ...values, only: new RegExp(values.only ?? '') };
  } catch (error) {
    return usage(error);
  }
};

const { quick, only, list, keep, build = process.env.GANTRY_BUILD, help: helped } = parse();

const chosen = scenarios
  .map((scenario) => ({
    scenario,
    steps: scenario.steps.filter(
      ({ name, thorough }) => !(quick && thorough) && only.test(`${scenario.name}: ${name}`),
    ),
  }))
  .filter(({ steps }) => steps.length > 0);

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    if (interrupted.signal.aborted) {
      process.stderr.write('forced to stop; namespaces called gantry-test-... stay\n');
      process.exit(130);
    }
    process.stderr.write(`${signal}: cleaning up; once more to force it\n`);
    interrupted.abort(new Error(signal));
  });

const main = async (): Promise<number> => {
  const { signal } = interrupted;
  const cluster = openNamespace('default', signal);
  const context = (await cluster.kubectl('config', 'current-context')).trim();
  const address = await nodeAddress(cluster);
  if (build) {
    print(`building the image: ${build}`);
    await must('sh', ['-c', build], signal);
  }
  const image = process.env.GANTRY_IMAGE || undefined;
  print(`context ${context}, node ports at ${address}, image ${image ?? 'of the charts'}`);
  const done: Done[] = [];
  const balanced: Balanced[] = [];
  const began = performance.now();
  const leaving: Promise<void>[] = [];
  const how: Options = { image, quick, keep, signal, print, later: (work) => leaving.push(work) };
  try {
    for (const { scenario, steps } of chosen) {
      const outcome = await runScenario(scenario, steps, how);
      done.push(...outcome.done);
      if (outcome.ledger !== undefined) balanced.push({ scenario: scenario.name, ledger: outcome.ledger });
    }
  } finally {
    for (const left of await Promise.allSettled(leaving))
      if (left.status === 'rejected') print(`a namespace may be left: ${left.reason}`);
  }
  print(`\n${asTable(done, balanced)}`);
  const failed = done.filter(({ outcome }) => outcome === 'failed').length;
  print(
    `${failed === 0 ? 'All passed' : `${failed} FAILED`} in ${Math.round((performance.now() - began) / 1000)} s`,
  );
  return failed === 0 ? 0 : 1;
};

if (helped) process.stdout.write(help);
else if (list)
  for (const { scenario, steps } of chosen) for (const { name } of steps) print(`${scenario.name}: ${name}`);
else if (chosen.length === 0) usage(new Error(`no step matches ${only}`));
else {
  const code = await main().catch((error: unknown) => {
    if (interrupted.signal.aborted) return 130;
    process.stderr.write(`${error instanceof CommandError ? error.message : (error as Error).stack}\n`);
    return 2;
  });
  // What an interrupted step still waited for may go on for minutes.
  process.exit(code);
}
