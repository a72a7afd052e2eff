import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath, pid } from 'node:process';
import { fileURLToPath } from 'node:url';
import manifest from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `@scope/name/file` → `@scope/name` */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** The packages that these sources (JavaScript or declarations, as tsc writes them) import. */
export const packagesOf = (sources: readonly string[]): string[] => {
  const imports =
    /^(?:import\s+|(?:import|export)\s[^'";]*\bfrom\s+)['"]([^'"]+)['"]|\bimport\(['"]([^'"]+)['"]/gm;
  const all = sources.flatMap((source) =>
    [...source.matchAll(imports)].map(([, one, other]) => one ?? other ?? ''),
  );
  const foreign = all.filter((one) => !one.startsWith('.') && !one.startsWith('node:'));
  return [...new Set(foreign.map(packageOf))].sort();
};

/** Versions of what the client imports: any that is compatible with ours. Throws for one that is not among ours. */
const dependenciesOf = (sources: readonly string[]): Record<string, string> => {
  const ours: Readonly<Record<string, string>> = manifest.dependencies;
  return Object.fromEntries(
    packagesOf(sources).map((name) => {
      const version = ours[name];
      if (version === undefined) throw new Error(`the client imports ${name}, no dependency in package.json`);
      return [name, `^${version}`];
    }),
  );
};

/** docs/client.md, without the links to pages that are not in the package. */
const readme = (): string =>
  readFileSync(join(root, 'docs/client.md'), 'utf8').replace(/\[([^\]]*)\]\((?!https?:)[^)]*\)/g, '$1');

/**
 * Makes `folder` anew: a package with the client alone, compiled, with declarations. It has the name and version of
 * Gantry, so that `gantry/client` is the same whether that folder, the clone or an archive of it is installed.
 */
export const makeClientPackage = (folder: string): void => {
  // Beside it, as somebody may be importing it.
  const made = `${folder}.${pid}`;
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(execPath, [tsc, '-p', join(root, 'scripts/client'), '--outDir', made], { stdio: 'inherit' });
  const files = readdirSync(made, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') || file.endsWith('.js'),
  );
  const sources = files.map((file) => readFileSync(join(made, file), 'utf8'));
  const { name, version, license } = manifest;
  const own = {
    ...{ name, version, license },
    description: 'A typed client of Gantry, the self-hosted AI image-processing pipeline',
    type: 'module',
    exports: {
      './client': { types: './client/client.d.ts', default: './client/client.js' },
      './package.json': './package.json',
    },
    files: ['**/*.js', '**/*.d.ts'],
    engines: { node: '>=24' },
    dependencies: dependenciesOf(sources),
  };
  writeFileSync(join(made, 'package.json'), `${JSON.stringify(own, undefined, 2)}\n`);
  writeFileSync(join(made, 'README.md'), readme());
  copyFileSync(join(root, 'LICENSE'), join(made, 'LICENSE'));
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
};
