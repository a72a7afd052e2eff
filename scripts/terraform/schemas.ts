import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bindings, packageFiles } from './packages.ts';

/** A type in Terraform's own JSON, such as `["list","string"]`. */
export type Type = 'string' | 'number' | 'bool' | 'dynamic' | [string, Type | Record<string, Type>];
export type Attribute = { type: Type; required: boolean; optional: boolean; computed: boolean };
export type Block = { nesting: 'list' | 'set' | 'single'; required: boolean; schema: Schema };
/** What a resource, or a block in one, takes and has. */
export type Schema = { attributes: Record<string, Attribute>; blocks: Record<string, Block> };
export type Kind = 'resource' | 'data' | 'ephemeral' | 'provider';

const simple: Record<string, Type> = {
  String: 'string',
  Number: 'number',
  Boolean: 'bool',
  List: ['list', 'string'],
  NumberList: ['list', 'number'],
  StringMap: ['map', 'string'],
  NumberMap: ['map', 'number'],
  BooleanMap: ['map', 'bool'],
  AnyMap: ['map', 'dynamic'],
};

const simpleType = (code: string): Type => {
  const type = simple[/this\.get(\w+)Attribute\(/.exec(code)?.[1] ?? ''] ?? 'dynamic';
  return code.includes('Fn.tolist(') && Array.isArray(type) ? ['set', type[1]] : type;
};

const asObject = ({ attributes, blocks }: Schema): Type => [
  'object',
  {
    ...Object.fromEntries(Object.entries(attributes).map(([name, { type }]) => [name, type])),
    ...Object.fromEntries(
      Object.entries(blocks).map(([name, { nesting, schema }]) => [
        name,
        [nesting, asObject(schema)] as Type,
      ]),
    ),
  },
];

const getter = /^ {4}get (\w+)\(\) \{\s+return ([^;]*this\.get\w+Attribute\(['"](\w+)['"]\)[^;]*);/gm;
const complex = /^ +(?:this\.)?_(\w+) = new (\w+(?:\.\w+)?)\(this, "(\w+)"(, true)?/gm;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What can be given has a setter (a nested one `put`); what need not be given has a `reset` too. */
const flagsOf = (text: string, property: string, attribute: string): Omit<Attribute, 'type'> => {
  const given =
    text.includes(`    set ${property}(value)`) || text.includes(`    put${capital(property)}(value)`);
  // (An argument of the name that the reset would have keeps it from being there.)
  const optional = given && text.includes(` reset${capital(property)}()`);
  // Newer generators say more; without it what is optional may be computed.
  const said = new RegExp(`// ${attribute} - computed: (true|false)`).exec(text)?.[1];
  return { required: given && !optional, optional, computed: said ? said === 'true' : !given || optional };
};

/**
 * Reads the schema out of a binding's JavaScript: the provider's names and types are in its calls. What it does not
 * say (which strings are allowed, how many blocks) is not known here.
 */
export const schemaOf = (source: string): Schema => {
  const classes = new Map(
    source
      .split(/^(?=class \w+ extends )/m)
      .slice(1)
      .map((text) => [/^class (\w+)/.exec(text)?.[1] ?? '', text]),
  );
  const read = (name: string): Schema => {
    const text = classes.get(name) ?? '';
    const schema: Schema = { attributes: {}, blocks: {} };
    for (const [, property = '', code = '', attribute = ''] of text.matchAll(getter)) {
      schema.attributes[attribute] = { type: simpleType(code), ...flagsOf(text, property, attribute) };
    }
    for (const [, property = '', type = '', attribute = '', wrapsSet] of text.matchAll(complex)) {
      const flags = flagsOf(text, property, attribute);
      const [, base, shape] = /^(\w+?)(List|OutputReference|Map)$/.exec(type) ?? [];
      if (!base || !classes.has(type)) {
        schema.attributes[attribute] = { type: 'dynamic', ...flags };
        continue;
      }
      const inner = read(`${base}OutputReference`);
      const nesting = attribute === 'timeouts' ? 'single' : wrapsSet ? 'set' : 'list';
      // What cannot be given, or is written with an equals sign, is an attribute.
      const mapper = new RegExp(`\\b${attribute}: cdkt[fn]\\.(?:list|hash)Mapper\\(\\w+, false\\)`);
      if (!(flags.required || flags.optional) || shape === 'Map' || mapper.test(source)) {
        const container = shape === 'Map' ? 'map' : nesting === 'single' ? 'list' : nesting;
        schema.attributes[attribute] = { type: [container, asObject(inner)], ...flags };
      } else {
        schema.blocks[attribute] = { nesting, required: flags.required, schema: inner };
      }
    }
    return schema;
  };
  const [top] =
    [...classes].find(([, text]) => /^class \w+ extends cdkt[fn]\.Terraform\w+ \{/.test(text)) ?? [];
  if (!top) throw Object.assign(new Error('not a binding of a resource'), { code: 'NOT_A_BINDING' });
  return read(top);
};

// A provider's arguments cannot be read back, so they are only where its configuration is put together.
const argument = /^ +(\w+): \{\s+value: (.+),\s+isBlock: (true|false),/gm;

const providerSchemaOf = (source: string): Schema => {
  const within = (start: RegExp): Schema => {
    const schema: Schema = { attributes: {}, blocks: {} };
    const text = source.slice(source.search(start)).split(/^\}/m)[0] ?? '';
    for (const [, name = '', value = '', isBlock] of text.matchAll(argument)) {
      const nested = /\b(\w+ToHclTerraform)\b/.exec(value.replaceAll(/cdkt[fn]\.\w+/g, ''))?.[1];
      if (isBlock === 'true' && nested) {
        const inner = within(new RegExp(`^function ${nested}\\(`, 'm'));
        schema.blocks[name] = { nesting: 'list', required: false, schema: inner };
      } else {
        schema.attributes[name] = { type: 'dynamic', required: false, optional: true, computed: false };
      }
    }
    return schema;
  };
  return within(/^ +synthesizeHclAttributes\(\) \{/m);
};

/** The provider that a type belongs to: the part before the first underscore. */
export const providerOf = (type: string): string => type.split('_')[0] ?? type;

const folderOf = (kind: Kind, type: string): string => {
  if (kind === 'provider') return 'provider';
  const dashed = type.replaceAll('_', '-');
  return kind === 'resource' ? dashed.slice(dashed.indexOf('-') + 1) : `${kind}-${dashed}`;
};

/**
 * The schemas of these types, out of the bindings; undefined for one that its provider does not have, or whose provider
 * has no bindings here. For `provider`, the types are providers.
 */
export const schemasFor = async (
  kind: Kind,
  types: string[],
): Promise<Record<string, Schema | undefined>> => {
  const found: Record<string, Schema | undefined> = {};
  for (const provider of new Set(types.map(providerOf))) {
    const wanted = bindings[provider];
    const own = types.filter((type) => providerOf(type) === provider);
    const file = (type: string): string => `lib/${folderOf(kind, type)}/index.js`;
    const folder = wanted ? await packageFiles(wanted, own.map(file)) : undefined;
    for (const type of own) {
      const path = folder && join(folder, file(type));
      const read = kind === 'provider' ? providerSchemaOf : schemaOf;
      found[type] = path && existsSync(path) ? read(readFileSync(path, 'utf8')) : undefined;
    }
  }
  return found;
};
