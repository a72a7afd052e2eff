import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

export const folder = mkdtempSync(join(tmpdir(), 'gantry-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
export const newFile = (): string => join(folder, `${++files}.db`);

/** Rows as another program sees them. */
export const rows = (file: string, sql: string): Record<string, unknown>[] => {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
};

/** A process that accepts uploads of eight images and prints a line for each. */
export const accepting = (...args: string[]) => {
  const program = fileURLToPath(new URL('./sqlite.test-child.ts', import.meta.url));
  return spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
};
