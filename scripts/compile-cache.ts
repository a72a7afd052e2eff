/**
 * Run by the Dockerfile: loads every module once, so that Node's compile cache (NODE_COMPILE_CACHE) holds them and a
 * container of a read-only image starts in two thirds of the time.
 */
import { globSync } from 'node:fs';
import { flushCompileCache, getCompileCacheDir } from 'node:module';

if (getCompileCacheDir() === undefined) throw new Error('set NODE_COMPILE_CACHE to a folder');
/** Those that begin to work when they are loaded. */
const programs = new Set(['src/cli.ts', 'src/commands/worker.ts']);
const root = new URL('../', import.meta.url);
for (const path of globSync('src/**/*.ts', { cwd: root.pathname }))
  if (!programs.has(path)) await import(new URL(path, root).href);
flushCompileCache();
process.exit(0);
