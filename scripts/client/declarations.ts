import type { TSchema } from 'typebox';

/** What is read of a schema, as TypeBox makes it: JSON Schema. */
interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** A type that is declared: `about` is said of it before what its schema says. */
export interface Declared {
  readonly schema: TSchema;
  readonly about: string;
}

const indented = (text: string): string => text.replaceAll('\n', '\n  ');

/** Of a union, such as one with null, the first that says anything. */
const commentOf = (schema: Schema): string | undefined => {
  const parts = schema.anyOf?.map(commentOf) ?? [];
  const time = schema.format === 'date-time' ? 'ISO 8601' : undefined;
  const texts = [schema.description ?? parts.find((part) => part !== undefined), time];
  return texts.filter((text) => text !== undefined).join('; ') || undefined;
};
const comment = (text: string | undefined): string =>
  text === undefined ? '' : `/** ${text.replaceAll('*/', '* /')} */\n`;

/** The schema in TypeScript; `nameOf` knows those that have a name. Throws for a kind that it does not know. */
const typeOf = (schema: Schema, nameOf: (schema: Schema) => string | undefined): string => {
  const inner = (one: Schema): string => nameOf(one) ?? typeOf(one, nameOf);
  if (schema.anyOf) return schema.anyOf.map(inner).join(' | ');
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ');
  if (schema.items) {
    const item = inner(schema.items);
    return /^\w+$/.test(item) || item.startsWith('{') ? `${item}[]` : `(${item})[]`;
  }
  const [values] = Object.values(schema.patternProperties ?? {});
  if (values) return `Record<string, ${inner(values)}>`;
  if (schema.properties) {
    const fields = Object.entries(schema.properties).map(([name, field]) => {
      const mark = schema.required?.includes(name) ? '' : '?';
      // What a type says of itself is not said again wherever it is used.
      const about = nameOf(field) === undefined ? comment(commentOf(field)) : '';
      return `${about}${name}${mark}: ${inner(field)};`;
    });
    return `{\n  ${indented(fields.join('\n'))}\n}`;
  }
  if (schema.type === 'integer') return 'number';
  if (['string', 'number', 'boolean', 'null'].includes(schema.type ?? '')) return schema.type as string;
  throw new Error(`declarations are not made of such a schema: ${JSON.stringify(schema)}`);
};

/** The source of plain types, one a schema, which refer to each other by name and need no library. */
export const declarationsOf = (types: Readonly<Record<string, Declared>>): string => {
  // By what they say: an optional one is a copy.
  const names = new Map(Object.entries(types).map(([name, { schema }]) => [JSON.stringify(schema), name]));
  return Object.entries(types)
    .map(([name, { schema, about }]) => {
      const type = typeOf(schema, (one) => names.get(JSON.stringify(one)));
      const said = commentOf(schema);
      return `${comment(said === undefined ? about : `${about} ${said}`)}export type ${name} = ${type};\n`;
    })
    .join('\n');
};
