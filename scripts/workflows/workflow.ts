import { parse } from 'yaml';

/** A step, as far as it is looked at here (docs.github.com/actions/reference/workflow-syntax). */
export type Step = {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
};

/** A job: steps of its own, or another workflow that it calls. */
export type Job = {
  uses?: string;
  permissions?: Record<string, string>;
  'timeout-minutes'?: number;
  strategy?: { matrix: Record<string, unknown> };
  steps?: Step[];
};

/** A workflow, and the text that it was read from. */
export type Workflow = {
  on: Record<string, unknown>;
  permissions?: Record<string, string>;
  concurrency?: { group: string };
  jobs: Record<string, Job>;
  /** Without folder and ending. */
  name: string;
  text: string;
};

/** Reads a workflow. Throws what is no YAML. */
export const readWorkflow = (name: string, text: string): Workflow => ({ ...parse(text), name, text });

/** The names of the npm scripts that a step runs; a variable that is of the job's matrix stands for each value. */
export const npmScripts = ({ run = '', env = {} }: Step, { strategy }: Job): string[] =>
  [...run.matchAll(/\bnpm (?:(test)\b|run "?([\w:$-]+))/g)].flatMap(([, test, named = '']) => {
    if (test !== undefined) return [test];
    const variable = /\$(\w+)/.exec(named)?.[1];
    if (variable === undefined) return [named];
    const key = /^\$\{\{ matrix\.(\w+) \}\}$/.exec(env[variable] ?? '')?.[1];
    const values = key === undefined ? undefined : strategy?.matrix[key];
    return Array.isArray(values)
      ? values.map((value) => named.replace(`$${variable}`, String(value)))
      : [named];
  });
