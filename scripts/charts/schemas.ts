import { fileURLToPath } from 'node:url';
import type { KubernetesObject } from './helm.ts';
import { pythonProgram, runProgram } from './programs.ts';

/** Versions of Kubernetes that the charts are made for. */
export const kubernetesVersions = ['1.29', '1.30', '1.31', '1.32', '1.33', '1.34', '1.35'];

type Violation = { object: number; schema: string; message: string };

const script = fileURLToPath(new URL('validate.py', import.meta.url));

const together = (violations: Violation[]): string[] => {
  const schemas = new Map<string, string[]>();
  for (const { schema, message } of violations) {
    schemas.set(message, [...(schemas.get(message) ?? []), schema]);
  }
  return [...schemas].map(([message, [first, ...others]]) => {
    const last = others.at(-1)?.split(' ').at(-1);
    return `${first}${last ? ` to ${last}` : ''}: ${message}`;
  });
};

/**
 * What the schemas of every version (and the operators') have against objects, unknown fields refused. Answers with one list
 * an object, in their order. Objects that are alike are looked at once.
 */
export const schemaProblems = async (
  objects: KubernetesObject[],
  versions: string[] = kubernetesVersions,
): Promise<string[][]> => {
  const texts = objects.map((object) => JSON.stringify(object));
  const unique = [...new Set(texts)];
  const { code, output, errors } = await runProgram(
    pythonProgram('python'),
    [script],
    `{"versions": ${JSON.stringify(versions)}, "objects": [${unique.join(',')}]}`,
  );
  if (code !== 0) throw Object.assign(new Error(`validate.py failed: ${errors}`), { code: 'CHECK_FAILED' });
  const violations: Violation[] = JSON.parse(output);
  const found = new Map(
    unique.map((text, index) => [text, together(violations.filter(({ object }) => object === index))]),
  );
  return texts.map((text) => found.get(text) ?? []);
};
