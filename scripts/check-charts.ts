// npm run check:charts: lints and renders every chart with its defaults and each of its cases, checks what comes out
// against the schemas of Kubernetes, KEDA and the Prometheus Operator, and scans it for bad practice. The rest is in test/charts.
import { relative } from 'node:path';
import { allCharts, type Case, type Chart, casesOf } from './charts/charts.ts';
import { exceptions } from './charts/exceptions.ts';
import { type KubernetesObject, lintChart, nameOf, renderChart } from './charts/helm.ts';
import { kedaProblems } from './charts/keda.ts';
import { compareWith, scan } from './charts/scan.ts';
import { kubernetesVersions, schemaProblems } from './charts/schemas.ts';

type Tried = { chart: Chart; trial: Case; name: string; objects: KubernetesObject[]; problems: string[] };

const tryCase = async (chart: Chart, trial: Case): Promise<Tried> => {
  const problems = await lintChart(chart.folder, trial);
  const tried = { chart, trial, name: `${chart.name}-${trial.name}`, objects: [], problems };
  if (chart.type === 'library') return tried;
  const rendering = await renderChart(chart.folder, trial);
  if ('refused' in rendering) return { ...tried, problems: [...problems, rendering.refused] };
  return {
    ...tried,
    objects: rendering.objects,
    problems: [...problems, ...kedaProblems(rendering.objects)],
  };
};

const began = Date.now();
const tried: Tried[] = [];
for (const chart of allCharts()) {
  tried.push(...(await Promise.all(casesOf(chart).map((trial) => tryCase(chart, trial)))));
}

const [violations, findings] = await Promise.all([
  schemaProblems(tried.flatMap(({ objects }) => objects)),
  scan(tried.filter(({ objects }) => objects.length > 0)),
]);
const { unexplained, unneeded } = compareWith(exceptions, findings);

for (const one of tried) {
  for (const object of one.objects) {
    one.problems.push(...(violations.shift() ?? []).map((problem) => `${nameOf(object)}: ${problem}`));
  }
  for (const { rendering, object, check, advice } of unexplained) {
    if (rendering === one.name) one.problems.push(`${object}: ${check} ${advice}`);
  }
}

// What is wrong in several cases is said once.
const casesByProblem = (cases: Tried[]): Map<string, string[]> => {
  const found = new Map<string, string[]>();
  for (const { trial, problems } of cases) {
    for (const problem of problems) found.set(problem, [...(found.get(problem) ?? []), trial.name]);
  }
  return found;
};

let wrong = unneeded.length;
for (const chart of new Set(tried.map((one) => one.chart))) {
  const cases = tried.filter((one) => one.chart === chart);
  const problems = casesByProblem(cases);
  const objects = cases.reduce((sum, one) => sum + one.objects.length, 0);
  const verdict = problems.size === 0 ? 'right' : `${problems.size} wrong`;
  wrong += problems.size;
  console.log(`${relative('.', chart.folder)}: ${cases.length} cases, ${objects} objects: ${verdict}`);
  for (const [problem, names] of problems) console.log(`  ${problem} (${names.join(', ')})`);
}
for (const exception of unneeded) {
  console.log(`scripts/charts/exceptions.ts: ${exception} explains nothing any more`);
}
console.log(
  `Kubernetes ${kubernetesVersions[0]} to ${kubernetesVersions.at(-1)}, ` +
    `${((Date.now() - began) / 1000).toFixed(1)} s: ${wrong === 0 ? 'right' : `${wrong} wrong`}`,
);
process.exitCode = wrong === 0 ? 0 : 1;
