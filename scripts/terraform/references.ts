import type { Configuration } from './hcl.ts';
import type { Module } from './modules.ts';
import { schemasFor } from './schemas.ts';

/** Every expression in a value, however deep. */
const expressionsIn = (value: unknown): string[] => {
  if (typeof value === 'string') return value.includes('${') ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(name.includes('${') ? [name] : []),
    ...expressionsIn(inner),
  ]);
};

// What is quoted inside an expression is text, unless it is itself a template.
const withoutTexts = (expression: string): string => expression.replaceAll(/"[^"$]*"/g, '""');

const path = /(?<![\w.\]])((?:data|ephemeral)\.)?([a-z][a-z0-9_]*)\.(\w+)((?:\[[^\]]*\])?)(?:\.(\w+))?/g;
const ownNames = ['each', 'count', 'path', 'self', 'terraform'];

/**
 * Names that expressions use and nothing has: variables, locals, resources, attributes of resources, outputs of modules.
 * `for` variables and the keys of objects cannot be told from resources, so only names with a provider's prefix count.
 */
export const referenceProblems = async (
  configuration: Configuration,
  modules: Record<string, Module>,
  providers: string[],
): Promise<string[]> => {
  const schemas = {
    '': await schemasFor('resource', Object.keys(configuration.resource)),
    'data.': await schemasFor('data', Object.keys(configuration.data)),
    'ephemeral.': await schemasFor('ephemeral', Object.keys(configuration.ephemeral)),
  };
  const declared = {
    '': configuration.resource,
    'data.': configuration.data,
    'ephemeral.': configuration.ephemeral,
  };
  const problems = new Set<string>();
  for (const expression of expressionsIn(configuration)) {
    for (const found of withoutTexts(expression).matchAll(path)) {
      const [, kind = '', first = '', name = '', , attribute] = found;
      if (ownNames.includes(first)) continue;
      if (first === 'var' && !(name in configuration.variable)) problems.add(`no variable ${name}`);
      if (first === 'local' && !(name in configuration.locals)) problems.add(`no local ${name}`);
      if (first === 'module') {
        const source = String(configuration.module[name]?.source);
        if (!(name in configuration.module)) problems.add(`no module ${name}`);
        else if (attribute && modules[source] && !modules[source].outputs.includes(attribute))
          problems.add(`module.${name} has no output ${attribute}`);
      }
      if (!kind && !providers.some((provider) => first.startsWith(`${provider}_`))) continue;
      const group = kind as keyof typeof declared;
      const where = `${kind}${first}.${name}`;
      if (!declared[group][first]?.[name]) problems.add(`no ${where}`);
      else if (attribute) {
        const schema = schemas[group][first];
        if (schema && !(attribute in schema.attributes) && !(attribute in schema.blocks))
          problems.add(`${where} has no attribute ${attribute}`);
      }
    }
  }
  return [...problems];
};
