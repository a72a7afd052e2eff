// npm run check:workflows: actionlint (with shellcheck for what they run) and zizmor over .github/workflows, and what
// neither knows of this project (scripts/workflows/rules.ts).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { runProgram } from './charts/programs.ts';
import { workflowProblems } from './workflows/rules.ts';
import { readWorkflow } from './workflows/workflow.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.github', 'workflows');
const cache = join(root, 'node_modules', '.cache', 'gantry');
const python = join(cache, 'python', 'bin');
const actionlint = [process.env.ACTIONLINT_PATH ?? '', join(cache, 'actionlint')].find(existsSync);

let failed = false;
const report = (name: string, complaints: string): void => {
  console.log(`${complaints === '' ? 'ok     ' : 'FAILED '} ${name}${complaints && `\n${complaints}`}`);
  failed ||= complaints !== '';
};

const lint = async (program: string, ...args: string[]): Promise<void> => {
  const { code, output, errors } = await runProgram(program, args, '', {
    PATH: `${python}${delimiter}${process.env.PATH ?? ''}`,
  });
  report(program.split('/').at(-1) ?? program, code === 0 ? '' : output + errors || `exit code ${code}`);
};

if (actionlint !== undefined) await lint(actionlint);
// GitHub sets CI: what is to check every change must not be left out there without a word.
else if (process.env.CI) report('actionlint', 'is not there (it is built where there is Go)');
else console.log('skipped actionlint: it is not there (it is built where there is Go)');
await lint(join(python, 'zizmor'), '--offline', '--no-progress', '--persona', 'regular', '.github');

const files = readdirSync(folder);
const project = { scripts: Object.keys(manifest.scripts), workflows: files };
for (const file of files) {
  const workflow = readWorkflow(file.replace(/\.ya?ml$/, ''), readFileSync(join(folder, file), 'utf8'));
  report(`rules: ${file}`, workflowProblems(workflow, project).join('\n'));
}
process.exitCode = failed ? 1 : 0;
