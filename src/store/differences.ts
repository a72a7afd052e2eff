import type { Expression, SqlBool } from 'kysely';
import type { Kind } from './batch.ts';
import type { ColumnTypes } from './migrations/column-types.ts';
import type { Db, Trx } from './schema.ts';

/** All that the SQL of the store cannot say in the same way to every database. */
export interface Differences {
  readonly columns: ColumnTypes;
  /** Parameters that one statement may have. */
  readonly maxParameters: number;
  /** Whether several transactions may write at once, so that rows to be changed are read with `for update`. */
  readonly concurrentWriters: boolean;
  /** The rows of a statement's one parameter, a JSON array of objects, as a table called `input`. */
  input(columns: Readonly<Record<string, Kind>>): string;
  /** The name of a statement's parameter number `n`, from 1. */
  parameter(n: number): string;
  /**
   * Told of each statement whose text never changes, before it is first executed. `silent`: nobody wants its answer, so
   * that within a transaction it may be executed as late as with the commit.
   */
  constant(text: string, silent: boolean): void;
  /** Whether `column` contains `text`, byte for byte. */
  contains(column: Expression<string>, text: string): Expression<SqlBool>;
  /**
   * Called before statements that look up rows by their keys: has them found by index, whatever a planner thinks that
   * tables and batches hold. Until the end of the transaction.
   */
  lookUpByIndex(trx: Trx): Promise<void>;
  /**
   * Called before events are written: makes sequence numbers become visible in their order, so that a reader who
   * goes on after the newest number misses none. Nothing to do where only one transaction writes at a time.
   */
  orderEvents(trx: Trx): Promise<void>;
}

export interface Sql {
  readonly db: Db;
  readonly differences: Differences;
}

/** Splits what statements are given `parametersEach` of for each item, so that none has too many. */
export const chunks = <T>({ differences }: Sql, items: readonly T[], parametersEach: number): T[][] => {
  const size = Math.floor(differences.maxParameters / parametersEach);
  const parts: T[][] = [];
  for (let at = 0; at < items.length; at += size) parts.push(items.slice(at, at + size));
  return parts;
};
