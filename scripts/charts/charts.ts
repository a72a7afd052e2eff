import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** A chart's `Chart.yaml`, as far as it is used here. */
export type Chart = {
  name: string;
  description: string;
  version: string;
  appVersion?: string;
  type: 'application' | 'library';
  dependencies?: { name: string; version?: string; alias?: string; repository?: string }[];
  folder: string;
};

/** One set of values that a chart is tried with; `file` is missing for the defaults. */
export type Case = { name: string; file?: string };

const charts = fileURLToPath(new URL('../../charts', import.meta.url));

/** The folder of a chart, by its path below charts/. */
export const chartFolder = (path: string): string => join(charts, path);

/** Reads the chart in a folder. */
export const readChart = (folder: string): Chart => ({
  ...parse(readFileSync(join(folder, 'Chart.yaml'), 'utf8')),
  folder,
});

/** The charts that lie in this folder themselves; what is only linked to is found where it lies. */
export const chartsIn = (folder: string = charts): Chart[] =>
  !existsSync(folder)
    ? []
    : readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'Chart.yaml')))
        .map((entry) => readChart(join(folder, entry.name)))
        .sort((one, other) => one.name.localeCompare(other.name));

/** Every chart of the project, those inside another one included. */
export const allCharts = (folder: string = charts): Chart[] =>
  chartsIn(folder).flatMap((chart) => [chart, ...allCharts(join(chart.folder, 'charts'))]);

/** The defaults and each ci/*-values.yaml. */
export const casesOf = ({ folder }: Chart): Case[] => {
  const files = existsSync(join(folder, 'ci')) ? readdirSync(join(folder, 'ci')).sort() : [];
  return [
    { name: 'defaults' },
    ...files
      .filter((file) => file.endsWith('-values.yaml'))
      .map((file) => ({ name: basename(file, '-values.yaml'), file: join(folder, 'ci', file) })),
  ];
};
