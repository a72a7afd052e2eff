// npm run publish:image -- --image ghcr.io/somebody/gantry --tag v1.2.3 --digest sha256:... --digest sha256:... [--sign]:
// one name for the images that were built for each kind of processor and pushed without any; their provenance and SBOM
// come along. Docker must be logged in.
import { appendFileSync } from 'node:fs';
import process, { argv, exit, stderr, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { must } from './must.ts';
import { versionOfTag } from './tag.ts';

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    image: { type: 'string', default: '' },
    tag: { type: 'string', default: '' },
    digest: { type: 'string', multiple: true, default: [] },
    sign: { type: 'boolean', default: false },
  },
});
const { image, tag, digest: digests, sign } = values;
const version = versionOfTag(tag);
if (
  image === '' ||
  version === undefined ||
  !digests.every((digest) => /^sha256:[0-9a-f]{64}$/.test(digest))
) {
  stderr.write('publish:image takes --image NAME, --tag v1.2.3 and the --digest of each image to be in it\n');
  exit(2);
}

const imagetools = (...args: string[]) => must('docker', 'buildx', 'imagetools', ...args);

// No `latest`: it would move under those who deploy it. A version to be tried has no name but its own.
const names = [version.full, ...(version.toBeTried ? [] : [version.minor])].map((name) => `${image}:${name}`);
try {
  if (digests.length === 0) throw new Error('there is no --digest');
  await imagetools(
    'create',
    ...names.flatMap((name) => ['--tag', name]),
    ...digests.map((digest) => `${image}@${digest}`),
  );
  const digest = (await imagetools('inspect', names[0] ?? '', '--format', '{{.Manifest.Digest}}')).trim();
  // By its digest: a tag may name something else by the time somebody checks. It covers all that the index names.
  if (sign) await must('cosign', 'sign', '--yes', `${image}@${digest}`);
  stdout.write(`${names.join(', ')}: ${image}@${digest}${sign ? ', signed' : ''}\n`);
  const { GITHUB_OUTPUT: outputs } = process.env;
  if (outputs) appendFileSync(outputs, `digest=${digest}\n`);
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
