// npm run bench -- [--list] [--quick] [--json] [NAME...]: every benchmark prints one table.
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { accept } from './accept.ts';
import type { Benchmark } from './benchmark.ts';
import { endToEnd } from './end-to-end.ts';
import { growthEmbedded, growthScaledOut } from './growth.ts';
import { idle } from './idle.ts';
import { millionInPostgres, millionInSqlite } from './million.ts';
import { overhead } from './overhead.ts';
import { scale } from './scale.ts';
import { soak } from './soak.ts';
import { start } from './start.ts';
import { tracing } from './tracing.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = {
  overhead,
  idle,
  tracing,
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

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean' }, quick: { type: 'boolean' }, json: { type: 'boolean' } },
});
if (values.list) {
  for (const [name, { about }] of Object.entries(benchmarks)) console.log(`${name.padEnd(15)} ${about}`);
  process.exit(0);
}
const machine = {
  cpu: cpus()[0]?.model.trim(),
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
};
if (!values.json)
  console.log(`${machine.cores} x ${machine.cpu}, ${machine.memoryGiB} GiB, Node ${process.version}`);

for (const name of positionals.length > 0 ? positionals : Object.keys(benchmarks)) {
  const benchmark = benchmarks[name];
  if (benchmark === undefined) {
    console.error(`there is no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}`);
    process.exit(2);
  }
  const table = await benchmark.run(values.quick ?? false);
  if (values.json) console.log(JSON.stringify({ name, machine, ...table }));
  else {
    console.log(`\n${name}: ${table.title}`);
    console.table(table.rows);
  }
}
