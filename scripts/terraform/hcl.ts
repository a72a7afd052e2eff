import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { packageFiles, parser } from './packages.ts';

/** A block's arguments; a nested block is an array of such, an expression a string `${...}`. */
export type Body = { [name: string]: unknown };

/** What is in a folder's files, by kind: `resource.TYPE.NAME`, `module.NAME`, `variable.NAME`, ... */
export type Configuration = {
  resource: Record<string, Record<string, Body>>;
  data: Record<string, Record<string, Body>>;
  ephemeral: Record<string, Record<string, Body>>;
  module: Record<string, Body>;
  variable: Record<string, Body>;
  output: Record<string, Body>;
  provider: Record<string, Body>;
  locals: Record<string, unknown>;
};

type Parse = (file: string, text: string, done: (error: string | null, result: string) => void) => void;
type Scope = {
  Go: new () => { importObject: object; run(instance: object): Promise<void> };
  WebAssembly: { instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: object }> };
  __parse_terraform_config_wasm__?: object;
};

const files = ['main.wasm.gz', 'wasm/wasm_exec.js', 'wasm/bridge_wasm_exec.js', 'package.json'];

let loaded: Promise<{ parse?: Parse }> | undefined;

// The program puts its functions into an object that it finds under this name.
const load = async (): Promise<{ parse?: Parse }> => {
  const folder = await packageFiles(parser, files);
  createRequire(import.meta.url)(join(folder, 'wasm', 'bridge_wasm_exec.js'));
  const scope = globalThis as unknown as Scope;
  const functions: { parse?: Parse } = {};
  scope.__parse_terraform_config_wasm__ = functions;
  const go = new scope.Go();
  const bytes = gunzipSync(readFileSync(join(folder, 'main.wasm.gz')));
  const { instance } = await scope.WebAssembly.instantiate(new Uint8Array(bytes), go.importObject);
  // It runs for ever, waiting to be called.
  void go.run(instance);
  return functions;
};

/** HCL as JSON. Throws `NOT_HCL` with file, line and reason. */
export const parseHcl = async (file: string, text: string): Promise<Record<string, unknown>> => {
  loaded ??= load();
  const { parse } = await loaded;
  if (!parse) throw Object.assign(new Error('the parser of HCL did not start'), { code: 'PACKAGE_MISSING' });
  const json = await new Promise<string>((resolve, reject) => {
    parse(file, text, (error, result) =>
      error ? reject(Object.assign(new Error(error), { code: 'NOT_HCL' })) : resolve(result),
    );
  });
  return JSON.parse(json);
};

const kindsOfTwo = ['resource', 'data', 'ephemeral'] as const;
const kindsOfOne = ['module', 'variable', 'output', 'provider'] as const;

const twice = (what: string): Error =>
  Object.assign(new Error(`${what} is there twice`), { code: 'NOT_HCL' });

/** What is in HCL texts that belong together, by file name. Throws `NOT_HCL`, also for a name that is there twice. */
export const configurationOf = async (texts: Record<string, string>): Promise<Configuration> => {
  const all: Configuration = {
    ...{ resource: {}, data: {}, ephemeral: {}, module: {}, variable: {}, output: {}, provider: {} },
    locals: {},
  };
  const put = (where: Record<string, Body>, name: string, [body, another]: Body[], what: string): void => {
    if (another !== undefined || name in where) throw twice(what);
    where[name] = body ?? {};
  };
  for (const [file, text] of Object.entries(texts)) {
    const parsed = await parseHcl(file, text);
    for (const kind of kindsOfTwo) {
      const types = (parsed[kind] ?? {}) as Record<string, Record<string, Body[]>>;
      for (const [type, named] of Object.entries(types)) {
        all[kind][type] ??= {};
        for (const [name, bodies] of Object.entries(named)) {
          put(all[kind][type], name, bodies, `${kind} ${type}.${name}`);
        }
      }
    }
    for (const kind of kindsOfOne) {
      for (const [name, bodies] of Object.entries((parsed[kind] ?? {}) as Record<string, Body[]>)) {
        put(all[kind], name, bodies, `${kind} ${name}`);
      }
    }
    for (const locals of (parsed.locals ?? []) as Record<string, unknown>[]) {
      for (const [name, value] of Object.entries(locals)) {
        if (name in all.locals) throw twice(`local.${name}`);
        all.locals[name] = value;
      }
    }
  }
  return all;
};

/** What is in the `*.tf` files of a folder. */
export const configurationIn = (folder: string): Promise<Configuration> =>
  configurationOf(
    Object.fromEntries(
      readdirSync(folder)
        .filter((file) => file.endsWith('.tf'))
        .sort()
        .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
    ),
  );
