// npm run check:terraform: checks deploy/terraform without a registry, a cloud or a cluster. Arguments and references
// against the providers' typed bindings; with Terraform and Go also `fmt`, `validate` and `test`, on stand-ins for
// providers and modules; then bad practice, and the tables of inputs (`--write` writes them). With
// `--cluster IMAGE` also the Helm part on the cluster of kubectl's current context.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareWith } from '../charts/scan.ts';
import { argumentProblems } from './arguments.ts';
import { exceptions } from './exceptions.ts';
import { configurationIn } from './hcl.ts';
import { outdatedReadmes } from './inputs.ts';
import { recordedModules } from './modules.ts';
import { bindings } from './packages.ts';
import { prepareTrial, roots, terraformFolder, terraformMissing } from './program.ts';
import { referenceProblems } from './references.ts';
import { scanTerraform } from './scan.ts';
import { tryOnCluster } from './try-on-cluster.ts';

const { values: options } = parseArgs({
  options: { write: { type: 'boolean', default: false }, cluster: { type: 'string' } },
});
const began = Date.now();
let wrong = 0;

const say = (what: string, problems: string[], detail = ''): void => {
  console.log(`${what}: ${problems.length === 0 ? `right${detail}` : `${problems.length} wrong`}`);
  for (const problem of problems) console.log(`  ${problem}`);
  wrong += problems.length;
};

for (const root of roots) {
  const configuration = await configurationIn(join(terraformFolder, root));
  const providers = Object.keys(bindings);
  say(`deploy/terraform/${root}: arguments and references`, [
    ...(await argumentProblems(configuration, recordedModules)),
    ...(await referenceProblems(configuration, recordedModules, providers)),
  ]);
}

const runTerraform = async (): Promise<void> => {
  const missing = await terraformMissing();
  if (missing) return console.log(`fmt, validate and test are left out: ${missing}`);
  const trial = await prepareTrial();
  if (!trial) return console.log('fmt, validate and test are left out: Go is missing to build the stand-in');
  try {
    const commands = [
      ['fmt', '-check', '-diff', '-recursive', '-no-color'],
      ['init', '-backend=false', '-input=false', '-no-color'],
      ['validate', '-no-color'],
      ['test', '-no-color'],
    ];
    for (const root of roots) {
      for (const [command = '', ...flags] of commands) {
        const { code, output, errors } = await trial.run(root, command, ...flags);
        const passed = /Success! (\d+ passed)/.exec(output)?.[1];
        const problems = code === 0 ? [] : [`${output}${errors}`.trim()];
        if (command !== 'init' || code !== 0)
          say(`deploy/terraform/${root}: terraform ${command}`, problems, passed ? `, ${passed}` : '');
      }
    }
  } finally {
    rmSync(trial.folder, { recursive: true });
  }
};
await runTerraform();

const { unexplained, unneeded } = compareWith(exceptions, await scanTerraform(terraformFolder));
say('deploy/terraform: practice', [
  ...unexplained.map(({ object, check, advice }) => `${object}: ${check} ${advice}`),
  ...unneeded.map((exception) => `scripts/terraform/exceptions.ts: ${exception} explains nothing any more`),
]);
say(
  'deploy/terraform: tables of inputs',
  (await outdatedReadmes(options.write)).map((path) => `${path} is not up to date`),
);

if (options.cluster !== undefined) await tryOnCluster(options.cluster);

console.log(`${((Date.now() - began) / 1000).toFixed(1)} s: ${wrong === 0 ? 'right' : `${wrong} wrong`}`);
process.exitCode = wrong === 0 ? 0 : 1;
