// npm run release:check -- v1.2.3: everything that carries the version carries this one, and the changes are told.
import { readFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';
import { allCharts } from '../charts/charts.ts';
import { changesOf } from './changelog.ts';
import { versionOfTag } from './tag.ts';

const tag = argv[2] ?? '';
const version = versionOfTag(tag);
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
for (const { name, version: own, appVersion, dependencies = [] } of allCharts()) {
  found[`charts: ${name}`] = own;
  if (ofOurImage.includes(name)) found[`charts: ${name}, appVersion`] = appVersion;
  for (const dependency of dependencies)
    found[`charts: ${name}, dependency ${dependency.name}`] = dependency.version;
}

const wrong = Object.entries(found)
  .filter(([, other]) => other !== version.full)
  .map(([where, other]) => `${where} says ${other}, the tag says ${version.full}`);
if (changesOf(version) === undefined) wrong.push(`CHANGELOG.md has no part called ${version.full}`);
for (const complaint of wrong) stderr.write(`${complaint}\n`);
if (wrong.length > 0) exit(1);
stdout.write(`${version.full}: ${Object.keys(found).length} places agree\n`);
