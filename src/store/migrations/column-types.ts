import type { ColumnBuilderCallback, ColumnDataType, Kysely } from 'kysely';

/** The column types that databases have no common name for. */
export interface ColumnTypes {
  readonly bytes: ColumnDataType;
  /** A whole number that grows with each row and is never used again. */
  readonly sequence: ColumnDataType;
  readonly asSequence: ColumnBuilderCallback;
  /** Makes these text columns (by table) sort by their bytes, where they would sort as the database's language does. */
  compareBytewise(db: Kysely<unknown>, columns: Readonly<Record<string, readonly string[]>>): Promise<void>;
}
