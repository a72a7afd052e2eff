import { type Compilable, CompiledQuery } from 'kysely';
import type { Differences, Sql } from './differences.ts';
import type { Db, Trx } from './schema.ts';

/** What a column of a batch holds, null aside. */
export type Kind = 'text' | 'number';
type Columns<Row> = { readonly [Name in keyof Row]: Kind };

/** Neither NUL nor half of a surrogate pair can be stored in every database; as JSON both are escaped. */
const unstorable = /\\u(?:0000|d[89a-f])/;
const storable = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value;

const packed = (rows: readonly object[]): string => {
  const json = JSON.stringify(rows);
  return unstorable.test(json) ? JSON.stringify(rows, storable) : json;
};

/** A text in the words of each database, made once. `silent`: see {@link Differences.constant}. */
const constant = (text: (differences: Differences) => string, silent: boolean) => {
  const texts = new Map<Differences, string>();
  return (differences: Differences): string => {
    const known = texts.get(differences);
    if (known !== undefined) return known;
    const made = text(differences);
    differences.constant(made, silent);
    texts.set(differences, made);
    return made;
  };
};

interface Options {
  /** Nobody wants the answer: a fault is thrown then or later in the transaction, at the latest by its commit. */
  readonly silent?: boolean;
}

/**
 * A statement for any number of rows in the words of every database: the rows are its one parameter, so its text is
 * always the same, is made once, and is prepared once where that is possible. `text` is given the table of the rows,
 * called `input`. No rows, no statement.
 */
export const batch = <Row extends object, Answer = unknown>(
  columns: Columns<Row>,
  text: (input: string) => string,
  { silent = false }: Options = {},
) => {
  const textFor = constant((differences) => text(differences.input(columns)), silent);
  return async ({ differences }: Sql, db: Db | Trx, rows: readonly Row[]): Promise<Answer[]> => {
    if (rows.length === 0) return [];
    const query = CompiledQuery.raw(textFor(differences), [packed(rows)]);
    return (await db.executeQuery<Answer>(query)).rows;
  };
};

/**
 * A silent statement for one row at a time, of values that JSON does not hold. `text` is given the names of the columns
 * and their parameters.
 */
export const each = <Row extends object>(
  columns: readonly (keyof Row & string)[],
  text: (names: string, parameters: string) => string,
) => {
  const textFor = constant(
    ({ parameter }) => text(columns.join(', '), columns.map((_, n) => parameter(n + 1)).join(', ')),
    true,
  );
  return async ({ differences }: Sql, trx: Trx, rows: readonly Row[]): Promise<void> => {
    for (const row of rows) {
      const values = columns.map((name) => row[name]);
      await trx.executeQuery(CompiledQuery.raw(textFor(differences), values));
    }
  };
};

/**
 * Statements of Kysely's that are written once a database and size; only their parameters change, and come in the order
 * in which the statement names them.
 */
export const sized = <Answer = unknown>(write: (db: Db | Trx, size: number) => Compilable<Answer>) => {
  const texts = new Map<Differences, Map<number, string>>();
  return async (
    { differences }: Sql,
    db: Db | Trx,
    size: number,
    parameters: readonly unknown[],
  ): Promise<Answer[]> => {
    const ofDatabase = texts.get(differences) ?? new Map<number, string>();
    texts.set(differences, ofDatabase);
    let text = ofDatabase.get(size);
    if (text === undefined) {
      text = write(db, size).compile().sql;
      differences.constant(text, false);
      ofDatabase.set(size, text);
    }
    return (await db.executeQuery<Answer>(CompiledQuery.raw(text, [...parameters]))).rows;
  };
};
