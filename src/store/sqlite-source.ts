import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { faultOf } from './sqlite-database.ts';

/** Some rows of a table, column by column. */
export interface Batch {
  readonly columns: SQLOutputValue[][];
  readonly rows: number;
}

/** An SQLite file as it was in the moment it was opened. Nothing can be written to it. */
export interface SqliteSource {
  /** Names of its migrations; none if it is no store. */
  readonly migrations: readonly string[];
  /** The highest number that an event ever had, also one that has expired. */
  lastEvent(): number;
  /** Rows of a table. `condition` is SQL. */
  count(table: string, condition?: string): number;
  /** The rows in batches, each of a few megabytes at most. */
  read(table: string, columns: readonly string[], condition?: string): Iterable<Batch>;
  close(): void;
}

/** A checkpoint or a repair by another command holds the file for a moment. */
const busyTimeoutMs = 5_000;
const [mostRows, mostSize] = [2_000, 4e6];

const sizeOf = (value: SQLOutputValue): number =>
  typeof value === 'string' ? value.length : value instanceof Uint8Array ? value.byteLength : 8;

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** Opens a file that must exist, read-only. This and what it returns throw StoreError. */
export const openSqliteSource = (file: string): SqliteSource => {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (cause) {
      throw faultOf(file, cause);
    }
  };
  const database = guarded(() => new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs }));
  const close = (): void => database.close();
  const all = (query: string) => guarded(() => database.prepare(query).all());
  const hasTable = (name: string): boolean =>
    all(`select 1 from sqlite_schema where type = 'table' and name = '${name}'`).length > 0;
  const where = (condition: string | undefined): string =>
    condition === undefined ? '' : ` where ${condition}`;

  let migrations: string[];
  try {
    // What is read is of one moment, whatever a command without the folder's lock, such as reindex, writes meanwhile.
    guarded(() => database.exec('begin'));
    migrations = hasTable('kysely_migration')
      ? all('select name from kysely_migration order by name').map(({ name }) => String(name))
      : [];
  } catch (error) {
    close();
    throw error;
  }

  return {
    migrations,
    lastEvent: () => Number(all(`select seq from sqlite_sequence where name = 'events'`)[0]?.seq ?? 0),
    count: (table, condition) =>
      Number(all(`select count(*) as n from ${quoted(table)}${where(condition)}`)[0]?.n),
    *read(table, columns, condition) {
      const query = `select ${columns.map(quoted).join(', ')} from ${quoted(table)}${where(condition)}`;
      const rows = guarded(() => {
        const statement = database.prepare(query);
        statement.setReturnArrays(true);
        return statement.iterate() as unknown as Iterator<SQLOutputValue[]>;
      });
      const empty = (): SQLOutputValue[][] => columns.map(() => []);
      let [batch, count, size] = [empty(), 0, 0];
      for (;;) {
        const { value: row, done } = guarded(() => rows.next());
        if (done) break;
        for (const [column, value] of row.entries()) {
          batch[column]?.push(value);
          size += sizeOf(value);
        }
        if (++count < mostRows && size < mostSize) continue;
        yield { columns: batch, rows: count };
        [batch, count, size] = [empty(), 0, 0];
      }
      if (count > 0) yield { columns: batch, rows: count };
    },
    close,
  };
};
