import type { SQLOutputValue } from 'node:sqlite';

const int = (value: SQLOutputValue): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(Number(value));
  return bytes;
};
const bigint = (value: SQLOutputValue): Buffer => {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigInt64BE(BigInt(value as number));
  return bytes;
};
/** PostgreSQL's text takes any character but NUL. */
const text = (value: SQLOutputValue): Buffer => Buffer.from(String(value).replaceAll('\0', '\ufffd'));

/** The types of our columns, with their OIDs (PostgreSQL's pg_type.dat). */
const types: Readonly<Record<string, { oid: number; encode: (value: SQLOutputValue) => Uint8Array }>> = {
  bytea: { oid: 17, encode: (value) => value as Uint8Array },
  bigint: { oid: 20, encode: bigint },
  integer: { oid: 23, encode: int },
  text: { oid: 25, encode: text },
};

/**
 * A one-dimensional array as PostgreSQL takes it in binary (array_recv in its arrayfuncs.c). In text, as `pg` writes
 * arrays, bytes are twice as long and most of a statement's time goes into reading them.
 */
export const binaryArray = (type: string, values: readonly SQLOutputValue[]): Buffer => {
  const known = types[type];
  if (known === undefined) throw new TypeError(`no column of ours is of the type ${type}`);
  if (values.length === 0) throw new RangeError('an empty array has no dimension');
  // Dimensions, whether there are nulls, type, length, number of the first.
  const parts: Uint8Array[] = [1, 1, known.oid, values.length, 1].map(int);
  for (const value of values) {
    const bytes = value === null ? undefined : known.encode(value);
    parts.push(int(bytes?.byteLength ?? -1));
    if (bytes !== undefined) parts.push(bytes);
  }
  return Buffer.concat(parts);
};
