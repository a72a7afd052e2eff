import type { ColumnBuilderCallback, ColumnDataType } from 'kysely';

/** The column types that databases have no common name for. */
export interface ColumnTypes {
  readonly bytes: ColumnDataType;
  /** A whole number that grows with each row and is never used again. */
  readonly sequence: ColumnDataType;
  readonly asSequence: ColumnBuilderCallback;
}
