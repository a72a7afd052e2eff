// npm run check:workflows: actionlint (with shellcheck for what they run) and zizmor over .github/workflows. What
// neither knows of this project is tested in test/workflows.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from './charts/programs.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules', '.cache', 'gantry');
const python = join(cache, 'python', 'bin');
const actionlint = [process.env.ACTIONLINT_PATH ?? '', join(cache, 'actionlint')].find(existsSync);

const checks: [string, string[]][] = [
  ...(actionlint === undefined ? [] : [[actionlint, []] satisfies [string, string[]]]),
  [join(python, 'zizmor'), ['--offline', '--no-progress', '--persona', 'regular', '.github/workflows']],
];
let failed = false;
for (const [program, args] of checks) {
  const { code, output, errors } = await runProgram(program, args, '', {
    PATH: `${python}${delimiter}${process.env.PATH ?? ''}`,
  });
  const name = program.split('/').at(-1);
  console.log(`${code === 0 ? 'ok     ' : 'FAILED '} ${name}`);
  if (code === 0) continue;
  failed = true;
  console.log(output + errors);
}
if (actionlint === undefined)
  console.log('skipped actionlint: it is not there (it is built where there is Go)');
process.exitCode = failed ? 1 : 0;
