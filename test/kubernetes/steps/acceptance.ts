import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CommandError, run } from '../command.ts';
import type { Step } from '../session.ts';

const folder = fileURLToPath(new URL('../../acceptance/', import.meta.url));

export const acceptance: Step = {
  name: 'the acceptance tests through the node port',
  thorough: true,
  async run({ namespace, url }) {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.test.ts')).sort();
    const args = ['--test', '--test-reporter=tap', ...files.map((file) => `${folder}${file}`)];
    const { code, out } = await run(process.execPath, args, namespace.signal, { ACCEPTANCE_URL: url() });
    if (code === 0) return;
    const failed = out.split('\n').filter((line) => /^\s*not ok |error: /.test(line));
    throw new CommandError('failed', `the acceptance tests failed:\n${failed.join('\n')}`);
  },
};
