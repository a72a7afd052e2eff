// npm run package:charts -- --image ghcr.io/somebody/gantry [--out dist/charts]: the charts as they are published,
// each an archive that needs nothing else, with the published image in place of the one that people build.
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
  options: { image: { type: 'string' }, out: { type: 'string', default: 'dist/charts' } },
});
const { image, out } = values;
if (image === undefined || !/^[a-z0-9.:-]+(\/[a-z0-9._-]+)+$/.test(image)) {
  stderr.write(
    `package:charts takes --image, such as ghcr.io/somebody/gantry, not ${JSON.stringify(image)}\n`,
  );
  exit(2);
}

/** Those whose values name the image that we build. */
const ofOurImage = ['web-server-chart', 'consumer-chart'];

const setImage = (folder: string): void => {
  const file = join(folder, 'values.yaml');
  const document = parseDocument(readFileSync(file, 'utf8'));
  document.setIn(['image', 'repository'], image);
  writeFileSync(file, document.toString({ lineWidth: 0 }));
};

/** Packs a copy in which what is linked to lies itself. */
const pack = async ({ folder, name, version }: Chart, work: string): Promise<string> => {
  const copy = join(work, name);
  cpSync(folder, copy, { recursive: true, dereference: true });
  for (const own of [{ folder: copy, name }, ...chartsIn(join(copy, 'charts'))])
    if (ofOurImage.includes(own.name)) setImage(own.folder);
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
