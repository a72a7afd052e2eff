import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { modelQuality } from '../../monitoring/dashboards/model-quality.ts';
import { overview } from '../../monitoring/dashboards/overview.ts';
import { pipeline } from '../../monitoring/dashboards/pipeline.ts';
import { rabbitmq } from '../../monitoring/dashboards/rabbitmq.ts';
import type { Reference } from '../../monitoring/reference/bands.ts';
import { referenceRules } from '../../monitoring/reference/rules.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Every dashboard, in the order in which they are looked at. */
export const dashboards: readonly Dashboard[] = [overview, pipeline, rabbitmq, modelQuality];

/** A file that is made of others: its path in the project, and what it must hold. */
export interface Generated {
  readonly path: string;
  readonly content: string;
}

/** JSON or YAML as the project's formatter has it, so that `npm run check:lint` has nothing against it. */
const formatted = async (name: string, source: string): Promise<string> => {
  const biome = fileURLToPath(import.meta.resolve('@biomejs/biome/bin/biome'));
  const child = spawn(process.execPath, [biome, 'format', `--stdin-file-path=${name}`], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(source);
  const [content, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  if (code !== 0)
    throw Object.assign(new Error(`biome format ended with ${code}`), { code: 'FORMAT_FAILED' });
  return content;
};

/** The SDK hides every link in a menu unless told otherwise, and cannot be told. */
const withoutMenu = (key: string, value: unknown): unknown =>
  key === 'placement' && value === 'inControlsMenu' ? undefined : value;

/** What `npm run build:monitoring` writes: the dashboards as JSON, and the rules made from the model's reference. */
export const generatedFiles = async (): Promise<Generated[]> => {
  const reference: Reference = JSON.parse(await readFile(`${root}/monitoring/reference/pets.json`, 'utf8'));
  const files = dashboards.map(async (dashboard) => ({
    path: `charts/monitoring-chart/files/dashboards/${dashboard.uid}.json`,
    content: await formatted('dashboard.json', JSON.stringify(dashboard, withoutMenu, 2)),
  }));
  return [
    {
      path: 'monitoring/rules/model-reference.yaml',
      content: await formatted('rules.yaml', referenceRules(reference)),
    },
    ...(await Promise.all(files)),
  ];
};
