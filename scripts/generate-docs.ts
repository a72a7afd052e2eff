// Writes the pages that are generated, from settings, commands, metrics and the charts' values: npm run docs
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliPage } from '../src/cli-page.ts';
import { configurationPage } from '../src/configuration-page.ts';
import { metricsPage } from '../src/observability/metrics-page.ts';
import { chartsWithReadme, readmeOf } from './charts/readme.ts';

writeFileSync(new URL('../docs/configuration.md', import.meta.url), configurationPage());
writeFileSync(new URL('../docs/cli.md', import.meta.url), cliPage());
writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsPage());
for (const chart of chartsWithReadme()) writeFileSync(join(chart.folder, 'README.md'), readmeOf(chart));
