/**
 * Breaks a whole system again and again while it works, and proves that nothing accepted was lost:
 * `node test/resilience/chaos/run.ts --images 5000 --faults 100 --seed 1`. `--write` puts the table into
 * docs/reliability.md; `--only PATTERN` takes only the kinds of faults whose name matches.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { everyKind, runChaos } from './chaos.ts';
import { asMarkdown } from './report.ts';

const page = new URL('../../../docs/reliability.md', import.meta.url);
const [begin, end] = ['<!-- chaos: begin -->', '<!-- chaos: end -->'];

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '300' },
    faults: { type: 'string', default: String(everyKind.length) },
    seed: { type: 'string', default: process.env.SEED ?? String(Date.now() % 1_000_000) },
    rate: { type: 'string', default: '5' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const writePage = async (table: string): Promise<void> => {
  const text = await readFile(page, 'utf8');
  const [from, until] = [text.indexOf(begin), text.indexOf(end)];
  if (from === -1 || until < from) throw new Error(`docs/reliability.md has no ${begin} ... ${end}`);
  await writeFile(page, `${text.slice(0, from + begin.length)}\n${table}${text.slice(until)}`);
};

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stop.abort(new Error(`${signal}: stopped before the next fault`)));

const { images, faults, seed, rate, only } = values;
const { result, failure, complaints } = await runChaos({
  images: Number(images),
  faults: Number(faults),
  seed: Number(seed),
  rate: Number(rate),
  ...(only === undefined ? {} : { only: new RegExp(only) }),
  command: `node test/resilience/chaos/run.ts --images ${images} --faults ${faults} --rate ${rate} --seed ${seed}`,
  stop: stop.signal,
  progress: (text) => process.stderr.write(`${text}\n`),
});
const table = asMarkdown(result);
process.stdout.write(table);
process.stderr.write('\nWarnings and errors that the processes logged:\n');
for (const [message, count] of [...complaints].sort(([, a], [, b]) => b - a))
  process.stderr.write(`  ${count} × ${message}\n`);
if (failure !== undefined) {
  process.stderr.write(`\n${failure}`);
  process.exitCode = 1;
} else if (values.write) await writePage(table);
