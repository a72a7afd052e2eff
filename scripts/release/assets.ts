// npm run release:assets -- [--charts dist/charts] [--out dist/release]: what a release offers for download: the charts,
// the client for programs, an SBOM of the npm packages that run (CycloneDX), and checksums of all of it.
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { packClient } from '../client/archive.ts';
import { npm } from '../npm.ts';

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    charts: { type: 'string', default: 'dist/charts' },
    out: { type: 'string', default: 'dist/release' },
  },
});
const { charts, out } = values;
const root = fileURLToPath(new URL('../..', import.meta.url));

const billOfMaterials = (): string => {
  const args = [
    'sbom',
    '--package-lock-only',
    '--sbom-type',
    'application',
    '--omit',
    'dev',
    '--sbom-format',
    'cyclonedx',
  ];
  const bill = JSON.parse(npm(root, ...args));
  // npm calls it after the folder that it lies in.
  bill.metadata.component.name = manifest.name;
  return JSON.stringify(bill, undefined, 2);
};

try {
  const archives = readdirSync(charts).filter((name) => name.endsWith('.tgz'));
  if (archives.length === 0)
    throw new Error(`there is no chart in ${charts}; make them with npm run package:charts`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const archive of archives) cpSync(join(charts, archive), join(out, archive));
  packClient(out);
  writeFileSync(join(out, 'sbom.cdx.json'), billOfMaterials());
  const sums = readdirSync(out)
    .sort()
    .map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(out, name)))
          .digest('hex')}  ${name}\n`,
    );
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  stdout.write(sums.join(''));
} catch (error) {
  stderr.write(`${error instanceof Error ? error.message : error}\n`);
  exit(1);
}
