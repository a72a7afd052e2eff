// Writes what is generated, from settings, commands, metrics, the charts' values and the server's schemas: npm run docs
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage } from '../src/cli-page.ts';
import { configurationPage } from '../src/configuration-page.ts';
import { metricsPage } from '../src/observability/metrics-page.ts';
import { chartsWithReadme, readmeOf } from './charts/readme.ts';
import { answersSource } from './client/answers.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
writeFileSync(new URL('../docs/cli.md', import.meta.url), cliPage());
writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsPage());
writeFileSync(new URL('../src/client/answers.ts', import.meta.url), answersSource());
for (const chart of chartsWithReadme()) writeFileSync(join(chart.folder, 'README.md'), readmeOf(chart));
