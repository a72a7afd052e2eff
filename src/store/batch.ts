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

/**
 * A statement for any number of rows in the words of every database: the rows are its one parameter, so its text is
 * always the same, is made once, and is prepared once where that is possible. `text` is given the table of the rows,
 * called `input`. No rows, no statement.
 */
export const batch = <Row extends object, Answer = unknown>(
  columns: Columns<Row>,
  text: (input: string) => string,
) => {
  const texts = new Map<Differences, string>();
  return async ({ differences }: Sql, db: Db | Trx, rows: readonly Row[]): Promise<Answer[]> => {
    if (rows.length === 0) return [];
    const known = texts.get(differences) ?? text(differences.input(columns));
    texts.set(differences, known);
    return (await db.executeQuery<Answer>(CompiledQuery.raw(known, [packed(rows)]))).rows;
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
    const text = ofDatabase.get(size) ?? write(db, size).compile().sql;
    ofDatabase.set(size, text);
    return (await db.executeQuery<Answer>(CompiledQuery.raw(text, [...parameters]))).rows;
  };
};
