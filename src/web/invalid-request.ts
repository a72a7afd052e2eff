import type { FastifySchemaValidationError } from 'fastify';
import { sha256Pattern } from './schemas.ts';

/** What a value has to be, in the words of whoever sends it, where the schema says it as a pattern or a format. */
export const meanings: Readonly<Record<string, string>> = {
  [sha256Pattern]: '64 hexadecimal digits, lower case',
  uuid: 'a UUID, such as 01a223dd-d445-71ae-85a8-3a5bbb26d192',
  'date-time': 'a time as in RFC 3339, such as 2026-11-23T14:00:00Z',
};

const meaningOf = ({ keyword, params, message }: FastifySchemaValidationError): string => {
  const must = { pattern: params.pattern, format: params.format }[keyword];
  const meaning = meanings[String(must)];
  if (meaning !== undefined) return `must be ${meaning}`;
  if (keyword === 'enum' && Array.isArray(params.allowedValues))
    return `must be one of ${params.allowedValues.join(', ')}`;
  return message ?? 'is not valid';
};

const placeOf = (part: string, instancePath: string): string => {
  const name = instancePath.slice(1).replaceAll('/', '.');
  const what = { querystring: 'the query', params: 'the path', headers: 'the header', body: 'the body' }[
    part
  ];
  return name === '' ? (what ?? part) : name;
};

/**
 * Says what is wrong with a part of a request (`querystring`, `params`, `headers`, `body`) that is not as its schema
 * wants it, without a word of schemas: `sha256 must be 64 hexadecimal digits, lower case`.
 */
export const describeInvalid = (errors: readonly FastifySchemaValidationError[], part: string): Error => {
  const texts = errors.map((error) => {
    const place = placeOf(part, error.instancePath);
    if (error.keyword === 'additionalProperties')
      return `${place} takes no ${JSON.stringify(String(error.params.additionalProperty).slice(0, 100))}`;
    return `${place} ${meaningOf(error)}`;
  });
  return new Error(texts.join(', '));
};
