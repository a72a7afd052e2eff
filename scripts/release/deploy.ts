// npm run deploy -- --help: a release to an environment by Helm, tried out there, and taken back if it is not right.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process, { argv, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kubernetesProgram, runProgram } from '../charts/programs.ts';

const help = `npm run deploy -- [options]

Installs or upgrades a release in the cluster of kubectl's current context, waits until it runs, then tries it out:
\`helm test\`, and with --url a known picture from here. If any of that fails, the release goes back to the revision
before (a first installation is removed; its claims and Secrets stay), and the exit code is 1.

  --chart CHART        folder, archive or oci:// address   (default ./charts/gantry)
  --version VERSION    of a chart from a registry
  --release NAME       (default gantry)
  --namespace NAME     made if it is missing               (default gantry)
  --values FILE        values of the environment; may be repeated
  --set KEY=VALUE      may be repeated; not for secrets: it shows in process lists
  --url URL            where users reach the web server
  --timeout DURATION   for each step                       (default 10m)
`;

const { values: given } = parseArgs({
  args: argv.slice(2),
  options: {
    help: { type: 'boolean', default: false },
    chart: { type: 'string', default: './charts/gantry' },
    version: { type: 'string' },
    release: { type: 'string', default: 'gantry' },
    namespace: { type: 'string', default: 'gantry' },
    values: { type: 'string', multiple: true, default: [] },
    set: { type: 'string', multiple: true, default: [] },
    url: { type: 'string' },
    timeout: { type: 'string', default: '10m' },
  },
});
if (given.help) {
  stdout.write(help);
  exit(0);
}
const { chart, version, release, namespace, url, timeout } = given;
const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const helm = kubernetesProgram('helm');
const within = ['--namespace', namespace];

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs a step for whoever watches; throws if it fails. */
const step = async (what: string, program: string, args: readonly string[]): Promise<void> => {
  stdout.write(`\n== ${what}\n`);
  const [code] = await once(spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }), 'exit');
  if (code !== 0) throw new Error(`${what}: exit code ${code}`);
};

/**
 * The number of the revision that is deployed now; undefined before the first. Throws if that cannot be told: what was
 * taken for a first installation would be removed when it turns out wrong.
 */
const revision = async (): Promise<number | undefined> => {
  const { code, output, errors } = await runProgram(helm, [
    ...['history', release, ...within, '--output', 'json'],
  ]);
  if (code !== 0) {
    if (errors.includes('release: not found')) return undefined;
    throw new Error(`helm history ${release}: ${errors.trim()}`);
  }
  const history = JSON.parse(output) as { revision: number; status: string }[];
  return history.findLast(({ status }) => status === 'deployed')?.revision;
};

/** Helm 4 has another name for what 3 calls atomic. */
const backOnFailure = async (): Promise<string> => {
  const { output } = await runProgram(helm, ['version', '--template', '{{.Version}}']);
  return output.startsWith('v3.') ? '--atomic' : '--rollback-on-failure';
};

const upgrade = async (): Promise<void> =>
  step(`helm upgrade ${release}`, helm, [
    ...['upgrade', '--install', release, chart, ...within, '--create-namespace'],
    ...['--wait', '--timeout', timeout, await backOnFailure()],
    ...(version === undefined ? [] : ['--version', version]),
    ...given.values.flatMap((file) => ['--values', file]),
    ...given.set.flatMap((pair) => ['--set', pair]),
  ]);

const tryOut = async (): Promise<void> => {
  await step(`helm test ${release}`, helm, ['test', release, ...within, '--logs', '--timeout', timeout]);
  if (url !== undefined)
    await step(`a known picture to ${url}`, process.execPath, [cli, 'canary', '--url', url]);
};

const takeBack = async (before: number | undefined): Promise<void> => {
  if (before === undefined)
    await step(`helm uninstall ${release}`, helm, [
      ...['uninstall', release, ...within, '--wait', '--timeout', timeout],
    ]);
  else
    await step(`helm rollback ${release} ${before}`, helm, [
      ...['rollback', release, String(before), ...within, '--wait', '--timeout', timeout],
    ]);
};

const deploy = async (): Promise<void> => {
  const before = await revision();
  try {
    // What fails in here is taken back by Helm itself.
    await upgrade();
    await tryOut().catch(async (error: unknown) => {
      await takeBack(before);
      throw error;
    });
  } catch (cause) {
    const now = await revision();
    const state = now === undefined ? 'is not installed' : `is at revision ${now}, what ran before`;
    throw new Error(`${reason(cause)}; ${release} ${state}`, { cause });
  }
  stdout.write(`\n${release} is at revision ${await revision()}\n`);
};

await deploy().catch((error: unknown) => {
  stderr.write(`\ndeployment failed: ${reason(error)}\n`);
  process.exitCode = 1;
});
