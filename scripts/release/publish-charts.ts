// npm run publish:charts -- --from dist/charts --to oci://ghcr.io/somebody/gantry/charts [--sign]: what
// package:charts made, into a registry that helm is logged in to; signed without a key by cosign, where that is wanted.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process, { argv, exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { kubernetesProgram } from '../charts/programs.ts';
import { must } from './must.ts';

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    from: { type: 'string', default: 'dist/charts' },
    to: { type: 'string' },
    sign: { type: 'boolean', default: false },
    'plain-http': { type: 'boolean', default: false },
  },
});
const { from, to, sign } = values;
if (!to?.startsWith('oci://')) {
  stderr.write('publish:charts takes --to, such as oci://ghcr.io/somebody/gantry/charts\n');
  exit(2);
}

try {
  const archives = readdirSync(from).filter((name) => name.endsWith('.tgz'));
  if (archives.length === 0)
    throw new Error(`there is no chart in ${from}; make them with npm run package:charts`);
  for (const archive of archives) {
    const plain = values['plain-http'] ? ['--plain-http'] : [];
    const said = await must(kubernetesProgram('helm'), 'push', join(from, archive), to, ...plain);
    const [, name] = /^Pushed: (.+):[^:]+$/m.exec(said) ?? [];
    const [, digest] = /^Digest: (sha256:[0-9a-f]{64})$/m.exec(said) ?? [];
    if (name === undefined || digest === undefined)
      throw new Error(`helm did not say what it pushed: ${said}`);
    // By its digest: a tag may name something else by the time somebody checks.
    if (sign) await must('cosign', 'sign', '--yes', `${name}@${digest}`);
    stdout.write(`${name}@${digest}${sign ? ', signed' : ''}\n`);
  }
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
