// npm run release:notes -- --tag v1.2.3 [--image ghcr.io/somebody/gantry@sha256:...] [--out FILE]: what CHANGELOG.md says
// of a version, every change since the version before, and how to check what was published.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { changesOf } from './changelog.ts';
import { versionOfTag } from './tag.ts';

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    tag: { type: 'string', default: '' },
    image: { type: 'string' },
    out: { type: 'string' },
  },
});
const { tag, image, out } = values;
const version = versionOfTag(tag);
if (version === undefined) {
  stderr.write(`release:notes takes --tag, such as v1.2.3, not ${JSON.stringify(tag)}\n`);
  exit(2);
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** The tag of the version before; a version that is not to be tried looks back to one that was not either. */
const before = (): string | undefined => {
  const skip = version.toBeTried ? [] : ['--exclude', 'v*-*'];
  try {
    return git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*', ...skip, `${tag}^`);
  } catch {
    return undefined;
  }
};

try {
  const changes = changesOf(version);
  if (changes === undefined) throw new Error(`CHANGELOG.md has no part called ${version.full}`);
  const since = before();
  const commits = git('log', '--no-merges', '--format=- %s (%h)', since ? `${since}..${tag}` : tag);
  const notes = [
    changes,
    `<details><summary>Every change${since ? ` since ${since}` : ''}</summary>\n\n${commits}\n\n</details>`,
    ...(image === undefined ? [] : [`Image: \`${image}\`, for amd64 and arm64.`]),
    'How to check and deploy it: docs/deploy/release.md.',
  ].join('\n\n');
  if (out === undefined) stdout.write(`${notes}\n`);
  else writeFileSync(out, `${notes}\n`);
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : error}\n`);
  exit(1);
}
