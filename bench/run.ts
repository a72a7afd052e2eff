// npm run bench -- --help: every benchmark prints one table.
import { cpus, totalmem } from 'node:os';
import { Argument, Command } from 'commander';
import { accept } from './accept.ts';
import type { Benchmark, Table } from './benchmark.ts';
import { endToEnd } from './end-to-end.ts';
import { growthEmbedded, growthScaledOut } from './growth.ts';
import { idle } from './idle.ts';
import { millionInPostgres, millionInSqlite } from './million.ts';
import { overhead } from './overhead.ts';
import { endAllOn } from './processes.ts';
import { profile } from './profile.ts';
import { scale } from './scale.ts';
import { soak } from './soak.ts';
import { start } from './start.ts';
import { tracing } from './tracing.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  overhead,
  idle,
  tracing,
  profile,
  accept,
  'end-to-end': endToEnd,
  million: millionInPostgres,
  'million-sqlite': millionInSqlite,
  start,
  scale,
  soak,
  growth: growthScaledOut,
  'growth-sqlite': growthEmbedded,
};

const list = Object.entries(benchmarks).map(([name, { about }]) => `${name.padEnd(15)} ${about}`);

const program = new Command('npm run bench --')
  .description('Runs benchmarks, one after the other, and prints a table for each.')
  .addArgument(
    new Argument('[names...]', 'which ones; all of them unless named').choices(Object.keys(benchmarks)),
  )
  .option('--list', 'only say which there are')
  .option('--quick', 'less than a minute each: shows that they work, not what to quote')
  .option('--json', 'print one JSON line a benchmark')
  .addHelpText('after', `\nBenchmarks:\n${list.map((line) => `  ${line}`).join('\n')}`)
  .showHelpAfterError('(npm run bench -- --help has all options and benchmarks)')
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .parse();
const values = program.opts<{ list?: true; quick?: true; json?: true }>();

if (values.list) {
  for (const line of list) console.log(line);
  process.exit(0);
}
const machine = {
  cpu: cpus()[0]?.model.trim(),
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
};
if (!values.json)
  console.log(`${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, Node ${process.version}`);

endAllOn('SIGINT', 130);
endAllOn('SIGTERM', 143);
const names = program.args.length > 0 ? program.args : Object.keys(benchmarks);

const { isTTY = false } = process.stderr;
const clear = '\r\u001b[K';
/** On a terminal it is seen what runs and for how long, as nothing else is before the table. */
const whileShown = async (
  what: string,
  run: () => Promise<Table>,
): Promise<{ table: Table; seconds: number }> => {
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  const timer = setInterval(() => isTTY && process.stderr.write(`${clear}${what}  ${seconds()} s`), 1000);
  try {
    return { table: await run(), seconds: seconds() };
  } finally {
    clearInterval(timer);
    if (isTTY) process.stderr.write(clear);
  }
};

for (const [n, name] of names.entries()) {
  const benchmark = benchmarks[name] as Benchmark;
  const { table, seconds } = await whileShown(`${name} (${n + 1} of ${names.length})`, () =>
    benchmark.run(values.quick ?? false),
  );
  if (values.json) console.log(JSON.stringify({ name, machine, seconds, ...table }));
  else {
    console.log(`\n${name}: ${table.title} (took ${seconds} s)`);
    console.table(table.rows);
  }
}
