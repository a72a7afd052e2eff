import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readDatabase, type Stored } from './database.ts';
import type { Load } from './load.ts';
import { imageOf } from './recovery.ts';
import { type System, urlsOf } from './system.ts';

/** What the whole run came to. */
export interface Ledger {
  readonly accepted: number;
  readonly lost: number;
  /** Results beyond one of an image, and ends beyond the first: what a client or a webhook would have heard twice. */
  readonly duplicateResults: number;
  /** Attempts beyond the first. */
  readonly attemptsWasted: number;
  /** Originals that no image has: what an upload left that was never answered. */
  readonly orphans: number;
  readonly stored: Stored;
}

const quietLimitMs = 180_000;
const atOnce = 8;
const shown = 10;
const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url));

/** Resolves when no image is under way any more, or when that takes too long. */
const quiet = async ({ webs }: System): Promise<void> => {
  const [url = ''] = urlsOf(webs);
  const unfinished = async (): Promise<number> => {
    let count = 0;
    for (const state of ['queued', 'processing']) {
      const response = await fetch(`${url}/images?state=${state}&limit=1`);
      count += ((await response.json()) as { images: unknown[] }).images.length;
    }
    return count;
  };
  const began = performance.now();
  while ((await unfinished()) > 0 && performance.now() - began < quietLimitMs) await sleep(250);
};

/** Queues that hold messages, once the last hints were read. */
const fullQueues = async ({ rabbit }: System): Promise<string[]> => {
  for (let tries = 10; ; tries--) {
    const text = await rabbit.ctl('list_queues', 'name', 'messages', '--quiet', '--formatter', 'json');
    const full = (JSON.parse(text) as { name: string; messages: number }[]).filter(
      ({ messages }) => messages > 0,
    );
    if (full.length === 0 || tries === 0) return full.map(({ name, messages }) => `${name} (${messages})`);
    await sleep(500);
  }
};

const filesOf = async (dir: string): Promise<{ temporary: string[]; blobs: Set<string> }> => {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((one) => one.isFile())
    .map((one) => relative(dir, join(one.parentPath, one.name)));
  const temporary = paths.filter((path) => path.startsWith('.'));
  return { temporary, blobs: new Set(paths.filter((path) => !path.startsWith('.'))) };
};

const audit = ({ env }: System): Promise<{ code: number; report: string; text: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [cli, 'audit', '--json'],
      { env, timeout: 60_000 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? -1);
        resolve({ code, report: stdout, text: `${stdout}${stderr}` });
      },
    );
  });

/** Waits for quiet, then compares what clients were told with what there is; `problem` is told of every difference. */
export const balance = async (
  system: System,
  load: Load,
  problem: (text: string) => void,
): Promise<Ledger> => {
  const wrong = (what: string, found: readonly string[]): number => {
    if (found.length > 0) problem(`${what}: ${found.length} (${found.slice(0, shown).join(', ')})`);
    return found.length;
  };
  await quiet(system);

  const urls = urlsOf(system.webs);
  const accepted = [...load.accepted.values()];
  const [lost, unfinished, unsuccessful, mislabelled]: string[][] = [[], [], [], []] as string[][];
  const waiting = accepted.values();
  const check = async (): Promise<void> => {
    for (const { id, label } of waiting) {
      const image = await imageOf(urls, id);
      if (image === undefined) lost?.push(id);
      else if (image.state === 'queued' || image.state === 'processing')
        unfinished?.push(`${id} ${image.state}`);
      else if (image.state !== 'succeeded') unsuccessful?.push(`${id} ${image.state} ${image.error?.code}`);
      else if (image.result?.label !== label) mislabelled?.push(`${id} ${image.result?.label} not ${label}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, check));
  wrong('accepted images that do not exist', lost ?? []);
  wrong('accepted images that never ended', unfinished ?? []);
  wrong('good pictures that did not succeed', unsuccessful ?? []);
  wrong('wrong labels', mislabelled ?? []);

  const stored = await readDatabase(system.databaseUrl);
  const rows = [...stored.images];
  const repeated = rows.filter(([, { results }]) => results > 1).map(([id]) => id);
  wrong('images with more than one result', repeated);
  wrong(
    'images that ended more than once',
    rows.filter(([, { endings }]) => endings > 1).map(([id]) => id),
  );
  wrong(
    'succeeded images without a result',
    rows.filter(([, { state, results }]) => state === 'succeeded' && results === 0).map(([id]) => id),
  );
  wrong(
    'images stored that no client was told of',
    rows.filter(([id]) => !load.accepted.has(id)).map(([id]) => id),
  );
  if (stored.outbox > 0) problem(`rows left in the outbox: ${stored.outbox}`);
  wrong('queues that are not empty', await fullQueues(system));

  const { temporary, blobs } = await filesOf(system.imagesDir);
  wrong('temporary files left', temporary);
  wrong(
    'images without their original',
    rows.filter(([, { blob }]) => blob === null || !blobs.has(blob)).map(([id]) => id),
  );
  const kept = new Set(rows.map(([, { blob }]) => blob));
  const orphans = [...blobs].filter((blob) => !kept.has(blob));
  if (orphans.length > load.refusals.length) wrong('originals that belong to no image', orphans);

  const { code, report, text } = await audit(system);
  if (code !== 0) problem(`gantry audit ended with exit code ${code}: ${text.slice(0, 1000)}`);
  else if (JSON.parse(report).miscounted !== 0)
    problem(`the summary counts wrongly: ${report.slice(0, 1000)}`);

  return {
    accepted: accepted.length,
    lost: (lost?.length ?? 0) + (unfinished?.length ?? 0),
    duplicateResults: rows.reduce(
      (sum, [, { results, endings }]) => sum + Math.max(0, results - 1) + Math.max(0, endings - 1),
      0,
    ),
    attemptsWasted: rows.reduce((sum, [, { attempts }]) => sum + Math.max(0, attempts - 1), 0),
    orphans: orphans.length,
    stored,
  };
};
