import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from '../services/program.ts';

const promtool = findProgram('promtool', 'PROMTOOL_PATH');

/** Why there is no promtool here, for a test's `skip`; false if there is one. */
export const promtoolMissing: string | false =
  promtool === undefined && 'promtool is not installed (Debian: apt-get install prometheus)';

/** Runs promtool; resolves with what is wrong, or an empty text. */
export const promtoolProblems = async (...args: string[]): Promise<string> => {
  try {
    await promisify(execFile)(promtool ?? 'promtool', args);
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (stdout === undefined) throw error;
    return `${stdout}${stderr}`;
  }
};
