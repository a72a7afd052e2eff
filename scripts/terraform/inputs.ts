import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationIn } from './hcl.ts';
import { roots, terraformFolder } from './program.ts';

const marks = {
  begin: '<!-- inputs: written by npx node scripts/terraform/check.ts --write -->',
  end: '<!-- end -->',
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();

/** Terraform as it is written, out of what the parser makes of it. */
const written = (value: unknown): string => {
  if (typeof value === 'string') {
    const expression = /^\$\{([\s\S]*)\}$/.exec(value)?.[1];
    return expression ?? JSON.stringify(value);
  }
  return JSON.stringify(value);
};

/** The defaults inside of an object's type are worth more than the empty object that stands for them. */
const fallback = (type: string, value: unknown): string => {
  if (!type.startsWith('object(') || JSON.stringify(value) !== '{}') return `\`${cell(written(value))}\``;
  const fields = [
    ...type.matchAll(/(\w+)\s*=\s*optional\(([^()]+|list\([^)]*\)), ("[^"]*"|\[[^\]]*\]|[^),]+)\)/g),
  ];
  return fields.map(([, name, , given]) => `\`${name} = ${cell(given ?? '')}\``).join(', ') || '`{}`';
};

const tables = async (root: string): Promise<string> => {
  const { variable, output } = await configurationIn(join(terraformFolder, root));
  const inputs = Object.entries(variable).map(([name, body]) => {
    const needed = !('default' in body);
    const given = needed ? '**needed**' : fallback(cell(written(body.type)), body.default);
    return `| \`${name}\` | ${given} | ${cell(String(body.description))} |`;
  });
  const outputs = Object.entries(output).map(
    ([name, { description }]) => `| \`${name}\` | ${cell(String(description))} |`,
  );
  return [
    ...['| input | default | meaning |', '|---|---|---|', ...inputs],
    ...['', '| output | meaning |', '|---|---|', ...outputs],
  ].join('\n');
};

/** README.md of a root as it should be: its text, with the tables between the marks made anew. */
const readmeOf = async (root: string): Promise<{ path: string; is: string; shouldBe: string }> => {
  const path = join(terraformFolder, root, 'README.md');
  const is = readFileSync(path, 'utf8');
  const begin = is.indexOf(marks.begin);
  const end = is.indexOf(marks.end);
  if (begin < 0 || end < begin)
    throw Object.assign(new Error(`${path} has no place for its inputs`), { code: 'CHECK_FAILED' });
  const shouldBe = `${is.slice(0, begin + marks.begin.length)}\n${await tables(root)}\n${is.slice(end)}`;
  return { path, is, shouldBe };
};

/** The roots whose README.md does not have their inputs as they are; with `write` they are written first. */
export const outdatedReadmes = async (write: boolean): Promise<string[]> => {
  const all = await Promise.all(roots.map(readmeOf));
  const outdated = all.filter(({ is, shouldBe }) => is !== shouldBe);
  if (!write) return outdated.map(({ path }) => path);
  for (const { path, shouldBe } of outdated) writeFileSync(path, shouldBe);
  return [];
};
