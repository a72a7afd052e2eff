import { cpSync, existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../charts/programs.ts';
import type { Configuration } from './hcl.ts';
import type { Module } from './modules.ts';
import { bindings, cache } from './packages.ts';
import { type Kind, providerOf, type Schema, schemasFor } from './schemas.ts';

const sources = fileURLToPath(new URL('provider', import.meta.url));
const sourceFiles = ['main.go', 'go.mod', 'go.sum'];

/**
 * Builds the program that stands in for providers (provider/main.go), once for each version of it. Undefined if there
 * is no Go. Throws `CHECK_FAILED` with what Go says.
 */
export const buildStandIn = async (): Promise<string | undefined> => {
  const program = join(cache, 'stand-in');
  const stamp = join(cache, 'stand-in.source');
  const source = sourceFiles.map((file) => readFileSync(join(sources, file), 'utf8')).join('\n');
  if (existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === source) return program;
  const { code } = await runProgram('go', ['version']).catch(() => ({ code: null }));
  if (code !== 0) return undefined;
  mkdirSync(cache, { recursive: true });
  const { code: built, errors } = await runProgram('go', ['build', '-C', sources, '-o', program, '.'], '', {
    GOFLAGS: '-mod=readonly',
  });
  if (built !== 0) throw Object.assign(new Error(`go build: ${errors}`), { code: 'CHECK_FAILED' });
  writeFileSync(stamp, source);
  return program;
};

const usedProviders = (configurations: Configuration[]): string[] => [
  ...new Set(
    configurations.flatMap(({ resource, data, ephemeral, provider }) => [
      ...[resource, data, ephemeral].flatMap((types) => Object.keys(types).map(providerOf)),
      ...Object.keys(provider),
    ]),
  ),
];

/**
 * Makes a mirror of providers in `folder` for Terraform's `filesystem_mirror`: each is the stand-in with the schemas of
 * what these configurations use.
 */
export const mirrorProviders = async (
  program: string,
  configurations: Configuration[],
  folder: string,
): Promise<void> => {
  for (const name of usedProviders(configurations)) {
    const version = bindings[name]?.provider;
    if (version === undefined) continue;
    const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`;
    const target = join(folder, 'registry.terraform.io', 'hashicorp', name, version, platform);
    mkdirSync(target, { recursive: true });
    const executable = join(target, `terraform-provider-${name}_v${version}`);
    try {
      linkSync(program, executable);
    } catch {
      cpSync(program, executable);
    }
    const schemas: Record<string, unknown> = {};
    for (const kind of ['resource', 'data', 'ephemeral'] as const) {
      const types = [...new Set(configurations.flatMap((one) => Object.keys(one[kind])))];
      schemas[kind] = await known(
        kind,
        types.filter((type) => providerOf(type) === name),
      );
    }
    schemas.provider = (await schemasFor('provider', [name]))[name];
    writeFileSync(join(target, 'schemas.json'), JSON.stringify(schemas));
  }
};

const known = async (kind: Kind, types: string[]): Promise<Record<string, Schema>> =>
  Object.fromEntries(Object.entries(await schemasFor(kind, types)).filter(([, schema]) => schema)) as Record<
    string,
    Schema
  >;

/**
 * Puts modules with the recorded inputs and outputs where Terraform would have installed the community's, so that it
 * asks no registry.
 */
export const standInForModules = (
  root: string,
  { module }: Configuration,
  modules: Record<string, Module>,
): void => {
  const installed = [{ Key: '', Source: '', Dir: '.' } as Record<string, string>];
  for (const [name, { source }] of Object.entries(module)) {
    const recorded = modules[String(source)];
    if (!recorded) continue;
    const folder = join('.terraform', 'modules', name);
    mkdirSync(join(root, folder), { recursive: true });
    const inputs = Object.entries(recorded.inputs).map(
      ([input, type]) => `variable "${input}" {\n  type    = ${type}\n  default = null\n}\n`,
    );
    const outputs = recorded.outputs.map((output) => `output "${output}" {\n  value = null\n}\n`);
    writeFileSync(join(root, folder, 'main.tf'), [...inputs, ...outputs].join('\n'));
    installed.push({
      ...{ Key: name, Source: `registry.terraform.io/${source}`, Version: recorded.version, Dir: folder },
    });
  }
  mkdirSync(join(root, '.terraform', 'modules'), { recursive: true });
  writeFileSync(join(root, '.terraform', 'modules', 'modules.json'), JSON.stringify({ Modules: installed }));
};
