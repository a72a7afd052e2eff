import pg, { type Client, type Connection, type QueryResult } from 'pg';
import { asBuffer } from '../as-buffer.ts';

/** A statement on its way to a connection. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Statements whose text never changes, and what a connection is to know of them: Kysely passes on nothing but texts. */
const constants = new Map<string, { readonly name: string; readonly silent: boolean }>();

/** Has connections prepare this statement. `silent`: whoever executes it in a transaction wants no answer. */
export const declareConstant = (text: string, silent: boolean): void => {
  if (!constants.has(text)) constants.set(text, { name: `gantry_${constants.size + 1}`, silent });
};
for (const text of ['begin', 'commit']) declareConstant(text, false);

export const isSilent = (text: string): boolean => constants.get(text)?.silent ?? false;

/**
 * How long (ms) a connection keeps what it has prepared. A plan that was made for an empty table would be kept while it
 * fills, which ends only when the server next analyses the table.
 */
const planLifeMs = 10_000;
/** When the connections in use prepared what; on the clock of `performance.now()`. */
const prepared = new WeakMap<Client, Map<string, number>>();

/** As PostgreSQL reads it: text, but for bytes. */
const parameter = (value: unknown): string | Buffer | null => {
  if (value === null || value === undefined) return null;
  if (value instanceof Uint8Array) return asBuffer(value);
  return String(value);
};

/** Writes the messages of the extended query protocol. Returns the names of what it has prepared for it. */
const write = (
  connection: Connection,
  statements: readonly Statement[],
  known: ReadonlyMap<string, number>,
): string[] => {
  const oldest = performance.now() - planLifeMs;
  const fresh: string[] = [];
  for (const { text, values } of statements) {
    const name = constants.get(text)?.name ?? '';
    const preparedAt = known.get(name);
    if (name === '' || preparedAt === undefined || preparedAt < oldest) {
      // No error where there is none of that name.
      if (name !== '') connection.close({ type: 'S', name }, true);
      connection.parse({ name, text, types: [] }, true);
      if (name !== '') fresh.push(name);
    }
    connection.bind({ statement: name, values: values.map(parameter) }, true);
    connection.describe({ type: 'P' }, true);
    connection.execute({}, true);
  }
  connection.sync();
  return fresh;
};

/**
 * Sends statements in one go, and waits once: the server does one after the other, up to the first that fails, whose
 * fault this throws. Resolves with the answer to the last one.
 */
export const execute = async (client: Client, statements: readonly Statement[]): Promise<QueryResult> => {
  const known = prepared.get(client) ?? new Map<string, number>();
  prepared.set(client, known);
  const { promise, resolve, reject } = Promise.withResolvers<QueryResult>();
  // Several answers come as an array, as those to several statements in one text do.
  const query = new pg.Query({ text: '' }, (error?: Error, answers?: QueryResult | QueryResult[]) => {
    const answer = Array.isArray(answers) ? answers.at(-1) : answers;
    if (error || answer === undefined) reject(error);
    else resolve(answer);
  });
  let fresh: string[] = [];
  query.submit = ({ stream }) => {
    stream.cork();
    fresh = write(client.connection, statements, known);
    stream.uncork();
  };
  client.query(query);
  try {
    const answer = await promise;
    const now = performance.now();
    for (const name of fresh) known.set(name, now);
    return answer;
  } catch (error) {
    // What comes behind a fault, the server has not even prepared.
    for (const name of fresh) known.delete(name);
    throw error;
  }
};
