import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../deploy/terraform/gantry/values', import.meta.url));

/** The path of a template of values. */
export const templatePath = (name: string): string => `${folder}/${name}.yaml.tftpl`;

const functions = {
  jsonencode: JSON.stringify,
  join: (separator: string, parts: string[]): string => parts.join(separator),
};

/**
 * Renders a template as Terraform's `templatefile` does, as far as ours go: `${...}` and `%{ if }`, each directive with
 * a `~` at its end. That it is the same is tested where there is a Terraform.
 */
export const renderTemplate = (name: string, variables: Record<string, unknown>): string => {
  const scope = { ...functions, ...variables };
  const evaluate = (expression: string): unknown =>
    new Function(...Object.keys(scope), `return (${expression})`)(...Object.values(scope));
  const taken: boolean[] = [];
  const lines = readFileSync(templatePath(name), 'utf8').split('\n');
  const rendered = lines.flatMap((line) => {
    const [, directive = '', condition = ''] = /^%\{ (if|else|endif) ?(.*?) ?~\}$/.exec(line) ?? [];
    if (directive === 'if') taken.push(taken.every(Boolean) && Boolean(evaluate(condition)));
    else if (directive === 'else') taken.push(!taken.pop());
    else if (directive === 'endif') taken.pop();
    else if (taken.every(Boolean))
      return [line.replaceAll(/\$\{([^}]*)\}/g, (_, expression: string) => String(evaluate(expression)))];
    return [];
  });
  return rendered.join('\n');
};
