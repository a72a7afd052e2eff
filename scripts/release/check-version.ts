// npm run release:check -- v1.2.3: everything that carries the version carries this one.
import { readFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';
import { allCharts } from '../charts/charts.ts';

const tag = argv[2] ?? '';
const [, version] = /^v(\d+\.\d+\.\d+(?:-[0-9a-z.-]+)?)$/.exec(tag) ?? [];
if (version === undefined) {
  stderr.write(`release:check takes a tag such as v1.2.3, not ${JSON.stringify(tag)}\n`);
  exit(2);
}

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const found: Record<string, string | undefined> = {
  'package.json': JSON.parse(read('package.json')).version,
  'package-lock.json': JSON.parse(read('package-lock.json')).version,
  Dockerfile: /^ARG VERSION=(.+)$/m.exec(read('Dockerfile'))?.[1],
};
/** The others run somebody else's program. */
const ofOurImage = ['gantry', 'web-server-chart', 'consumer-chart'];
for (const { name, version: own, appVersion } of allCharts()) {
  found[`charts: ${name}`] = own;
  if (ofOurImage.includes(name)) found[`charts: ${name}, appVersion`] = appVersion;
}

const wrong = Object.entries(found).filter(([, other]) => other !== version);
for (const [where, other] of wrong) stderr.write(`${where} says ${other}, the tag says ${version}\n`);
if (wrong.length > 0) exit(1);
stdout.write(`${version}: ${Object.keys(found).length} places agree\n`);
