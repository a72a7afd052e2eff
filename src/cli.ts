#!/usr/bin/env node
import { createProgram } from './program.ts';
import { ConfigError } from './setting-kinds.ts';

/** A mistake of the user's is one line; a fault of ours keeps its stack. */
const explain = (error: unknown): { text: string; exitCode: number } => {
  if (!(error instanceof Error)) return { text: String(error), exitCode: 1 };
  const expected = 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');
  return {
    text: `gantry: ${expected ? error.message : error.stack}`,
    exitCode: error instanceof ConfigError ? 2 : 1,
  };
};

// A reader that has seen enough, such as `head`, is no fault, and what was begun is done all the same.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  const { text, exitCode } = explain(error);
  process.stderr.write(`${text}\n`);
  process.exit(exitCode);
}
