// npm run package:charts -- --image ghcr.io/somebody/gantry [--runbook https://...] [--out dist/charts]: the charts as
// they are published, each an archive that needs nothing else, with the published image in place of the one that people
// build, and the page that alerts lead to.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process, { argv, exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { parseDocument } from 'yaml';
import { type Chart, chartsIn } from '../charts/charts.ts';
import { renderChart } from '../charts/helm.ts';
import { kubernetesProgram } from '../charts/programs.ts';
import { must } from './must.ts';

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    image: { type: 'string' },
    runbook: { type: 'string' },
    out: { type: 'string', default: 'dist/charts' },
  },
});
const { image, runbook, out } = values;
if (image === undefined || !/^[a-z0-9.:-]+(\/[a-z0-9._-]+)+$/.test(image)) {
  stderr.write(
    `package:charts takes --image, such as ghcr.io/somebody/gantry, not ${JSON.stringify(image)}\n`,
  );
  exit(2);
}

if (runbook !== undefined && !/^https:\/\/[^\s#]+$/.test(runbook)) {
  stderr.write(`package:charts takes an https URL without # as --runbook, not ${JSON.stringify(runbook)}\n`);
  exit(2);
}

/** Where values name the image that we build, or the page of the runbook. */
const published: Readonly<Record<string, readonly (readonly [string[], string | undefined])[]>> = {
  'web-server-chart': [
    [['image', 'repository'], image],
    [['metrics', 'runbookUrl'], runbook],
  ],
  'consumer-chart': [[['image', 'repository'], image]],
  'monitoring-chart': [[['runbookUrl'], runbook]],
};

const publish = ({ folder, name }: Pick<Chart, 'folder' | 'name'>): void => {
  const file = join(folder, 'values.yaml');
  const document = parseDocument(readFileSync(file, 'utf8'));
  for (const [path, value] of published[name] ?? []) if (value !== undefined) document.setIn(path, value);
  writeFileSync(file, document.toString({ lineWidth: 0 }));
};

/** Packs a copy in which what is linked to lies itself. */
const pack = async ({ folder, name, version }: Chart, work: string): Promise<string> => {
  const copy = join(work, name);
  cpSync(folder, copy, { recursive: true, dereference: true });
  for (const own of [{ folder: copy, name }, ...chartsIn(join(copy, 'charts'))])
    if (Object.hasOwn(published, own.name)) publish(own);
  await must(kubernetesProgram('helm'), 'package', copy, '--destination', out);
  return join(out, `${name}-${version}.tgz`);
};

const work = mkdtempSync(join(tmpdir(), 'gantry-charts-'));
try {
  mkdirSync(out, { recursive: true });
  for (const chart of chartsIn().filter(({ type }) => type === 'application')) {
    const archive = await pack(chart, work);
    const rendering = await renderChart(archive);
    if ('refused' in rendering) throw new Error(`${archive} cannot be rendered: ${rendering.refused}`);
    stdout.write(`${archive}: ${rendering.objects.length} objects\n`);
  }
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true });
}
