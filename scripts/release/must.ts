import { runProgram } from '../charts/programs.ts';

/** Runs a program and returns all that it said. Throws with its complaint if it fails (`code` PROGRAM_FAILED). */
export const must = async (program: string, ...args: string[]): Promise<string> => {
  const { code, output, errors } = await runProgram(program, args);
  if (code === 0) return output + errors;
  const name = [program.split('/').at(-1), ...args.slice(0, 3)].join(' ');
  throw Object.assign(new Error(`${name}: ${errors.trim()}`), { code: 'PROGRAM_FAILED' });
};
