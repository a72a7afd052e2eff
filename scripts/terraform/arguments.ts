import type { Body, Configuration } from './hcl.ts';
import type { Module } from './modules.ts';
import { bindings } from './packages.ts';
import { type Kind, providerOf, type Schema, schemasFor } from './schemas.ts';

const metaArguments = ['count', 'for_each', 'depends_on', 'lifecycle', 'provider'];

const bodiesOf = (value: unknown): Body[] | undefined =>
  Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && !Array.isArray(one))
    ? value
    : undefined;

/** The blocks of a body by name, `dynamic` ones among them, whose content is what counts. */
const blocksIn = (body: Body, schema: Schema): [string, Body[] | undefined][] => [
  ...(Object.entries(body).filter(([name]) => name !== 'dynamic' && name in schema.blocks) as [
    string,
    Body[],
  ][]),
  ...Object.entries((body.dynamic ?? {}) as Record<string, Body[]>).map(
    ([name, dynamics]): [string, Body[]] => [
      name,
      dynamics.flatMap(({ content }) => bodiesOf(content) ?? []),
    ],
  ),
];

/** What is wrong with a block's arguments, each said as a sentence after `where`. */
const bodyProblems = (where: string, body: Body, schema: Schema, allowed: string[] = []): string[] => {
  const problems: string[] = [];
  const { attributes, blocks } = schema;
  const blocksGiven = blocksIn(body, schema);
  for (const name of Object.keys(body)) {
    if (name === 'dynamic' || allowed.includes(name) || name in blocks) continue;
    const attribute = attributes[name];
    if (!attribute) problems.push(`${where} has no argument ${name}`);
    else if (!attribute.required && !attribute.optional) problems.push(`${where}.${name} cannot be set`);
  }
  for (const [name, { required }] of Object.entries(attributes)) {
    if (required && !(name in body)) problems.push(`${where} needs ${name}`);
  }
  for (const [name, { required }] of Object.entries(blocks)) {
    if (required && !blocksGiven.some(([given]) => given === name))
      problems.push(`${where} needs a block ${name}`);
  }
  for (const [name, given] of blocksGiven) {
    const block = blocks[name];
    const inner = bodiesOf(given);
    if (!block) problems.push(`${where} has no block ${name}`);
    else if (!inner) problems.push(`${where}.${name} is a block, written without an equals sign`);
    else problems.push(...inner.flatMap((one) => bodyProblems(`${where}.${name}`, one, block.schema)));
  }
  return problems;
};

const moduleProblems = (name: string, body: Body, modules: Record<string, Module>): string[] => {
  const where = `module.${name}`;
  const { source, version, ...inputs } = body;
  if (typeof source === 'string' && source.startsWith('.')) return [];
  const known = modules[String(source)];
  if (!known) return [`${where}: ${source} is not recorded in modules.json`];
  return [
    ...(version === known.version ? [] : [`${where} is version ${version}, recorded is ${known.version}`]),
    ...Object.keys(inputs)
      .filter((input) => !metaArguments.includes(input) && input !== 'providers' && !(input in known.inputs))
      .map((input) => `${where} has no input ${input}`),
  ];
};

/**
 * What is wrong with the arguments of everything in a configuration: a type that its provider does not have, an
 * argument or block that the type does not have or that cannot be set, one that is missing, and inputs of modules that
 * are not recorded. Values are not looked at.
 */
export const argumentProblems = async (
  configuration: Configuration,
  modules: Record<string, Module>,
): Promise<string[]> => {
  const problems: string[] = [];
  const kinds = ['resource', 'data', 'ephemeral'] as const;
  for (const kind of kinds) {
    const schemas = await schemasFor(kind, Object.keys(configuration[kind]));
    for (const [type, named] of Object.entries(configuration[kind])) {
      const prefix = kind === 'resource' ? '' : `${kind}.`;
      const schema = schemas[type];
      if (!schema) {
        const provider = bindings[providerOf(type)] ? 'its provider has no such' : 'no bindings for this';
        problems.push(`${prefix}${type}: ${provider} ${kind === 'data' ? 'data source' : kind}`);
        continue;
      }
      for (const [name, body] of Object.entries(named)) {
        problems.push(...bodyProblems(`${prefix}${type}.${name}`, body, schema, metaArguments));
      }
    }
  }
  const providers = await schemasFor('provider' satisfies Kind, Object.keys(configuration.provider));
  for (const [name, body] of Object.entries(configuration.provider)) {
    const schema = providers[name];
    if (!schema) problems.push(`provider.${name}: no bindings for this provider`);
    else problems.push(...bodyProblems(`provider.${name}`, body, schema, ['alias']));
  }
  for (const [name, body] of Object.entries(configuration.module)) {
    problems.push(...moduleProblems(name, body, modules));
  }
  return problems;
};
