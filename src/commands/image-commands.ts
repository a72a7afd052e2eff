import type { GantryClient, Image, ImageFilter, Timeline } from '../client/client.ts';
import { ConfigError, duration, integer } from '../setting-kinds.ts';
import { type Connection, connect } from './connection.ts';
import { print, printFacts, printJson } from './print.ts';
import { checkSelection, confirm, forEach, imageId, imageIds, SelectionError } from './selection.ts';
import { imageTable, table } from './table.ts';
import { bytesText, counted, outcomeText, percent, plain, stateText, timeText } from './texts.ts';

export interface Filters extends Connection, ImageFilter {}
export interface Show extends Connection {
  readonly json?: true;
}
export interface List extends Filters, Show {
  readonly limit: string;
  readonly all?: true;
}
export interface Change extends Filters, Show {
  readonly all?: true;
  readonly yes?: true;
}

/** A point in time as ISO 8601, or how long ago it was. */
const timeOf = (flag: string, text: string): string => {
  if (/^\d+(\.\d+)?(s|m|h|d)$/.test(text)) {
    return new Date(Date.now() - duration(0, 36500 * 86400e3).parse(text)).toISOString();
  }
  const time = Date.parse(text);
  if (/^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time)) return new Date(time).toISOString();
  throw new ConfigError(
    `${flag} takes a time such as 2026-11-25, 2026-11-25T14:00Z or 2h (ago), not ${JSON.stringify(text)}`,
  );
};

const filterOf = ({ state, label, text, from, until, sha256 }: Filters): ImageFilter => {
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256)) {
    throw new ConfigError(`--sha256 takes 64 hex digits, not ${JSON.stringify(sha256)}`);
  }
  return {
    ...(state === undefined ? {} : { state }),
    ...(label === undefined ? {} : { label }),
    ...(text === undefined ? {} : { text }),
    ...(from === undefined ? {} : { from: timeOf('--from', from) }),
    ...(until === undefined ? {} : { until: timeOf('--until', until) }),
    ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
  };
};

const limitOf = ({ all, limit }: List): number => {
  if (all) return Number.POSITIVE_INFINITY;
  try {
    return integer(1, 1_000_000_000).parse(limit);
  } catch (cause) {
    throw new ConfigError(`--limit ${(cause as Error).message}`, { cause });
  }
};

const millis = (ms: number): string =>
  ms < 10_000 ? `${Math.round(ms * 10) / 10} ms` : `${Math.round(ms / 1000)} s`;

const rowOf = (image: Image): string[] => [
  ...[image.id, timeText(image.createdAt), stateText(image.state)],
  ...[plain(image.filename), outcomeText(image)],
];

/** `gantry images list`. Throws ConfigError for wrong usage, ClientError for what the server does not like. */
export const list = async (options: List): Promise<void> => {
  const [filter, limit] = [filterOf(options), limitOf(options)];
  const found: Image[] = [];
  let count = 0;
  let more = false;
  for await (const image of connect(options).images(filter)) {
    if (count === limit) {
      more = true;
      break;
    }
    count += 1;
    if (options.json) printJson(image);
    else found.push(image);
  }
  // Told to whoever pipes JSON elsewhere, too: fifty of a thousand look like all of them.
  const tellMore = (): void => {
    if (more) process.stderr.write(`There are more: --all shows all, --limit that many.\n`);
  };
  if (options.json) return tellMore();
  if (found.length === 0) {
    print(
      Object.keys(filter).length === 0 ? 'No images yet. gantry upload sends some.\n' : 'No such images.\n',
    );
    return;
  }
  print(imageTable(['ID', 'UPLOADED', 'STATE', 'FILE', 'RESULT'], found.map(rowOf), process.stdout.columns));
  tellMore();
};

const timelineTable = (entries: Timeline['entries']): string =>
  table(
    ['WHEN', 'AFTER', 'WHAT', 'GENERATION', 'ATTEMPT', 'DETAIL'],
    entries.map(({ at, sinceMs, kind, generation, attempt, detail }) => [
      ...[
        timeText(at),
        millis(sinceMs),
        kind,
        String(generation),
        String(attempt ?? ''),
        plain(detail ?? ''),
      ],
    ]),
    process.stdout.columns ?? 0,
  );

/** `gantry images show ID`. Throws ClientError. */
export const show = async (id: string, options: Show): Promise<void> => {
  const server = connect(options);
  const image = await server.image(await imageId(server, id));
  if (options.json) {
    printJson(image);
    return;
  }
  const { result, error, width, height } = image;
  const size = width === null ? '' : `, ${width} x ${height}`;
  const shares = (all: readonly (readonly [string, number])[]) =>
    all.map(([label, score]) => `${label} ${percent(score)}`).join(', ');
  printFacts([
    ['id', image.id],
    ['file', `${plain(image.filename)} (${image.contentType}, ${bytesText(image.bytes)}${size})`],
    ['sha256', image.sha256],
    ['state', stateText(image.state)],
    ['why', error === null ? '' : outcomeText(image)],
    ['label', result === null ? '' : `${result.label} ${percent(result.confidence)}`],
    ['scores', result === null ? '' : shares(Object.entries(result.scores))],
    ['top', result === null ? '' : shares(result.top.map(({ label, score }) => [label, score] as const))],
    ['model', result === null ? '' : `${result.model.name} ${result.model.version}, ${result.model.digest}`],
    [
      'timings',
      result === null
        ? ''
        : `wait ${millis(result.timings.waitMs)}, fetch ${millis(result.timings.fetchMs)}, decode ${millis(result.timings.decodeMs)}, model ${millis(result.timings.inferMs)}`,
    ],
    ['attempts', `${image.attempts} in generation ${image.generation}`],
    ['uploaded', timeText(image.createdAt)],
    ['changed', timeText(image.updatedAt)],
  ]);
  const { entries, truncated } = await server.timeline(image.id);
  print(`\n${timelineTable(entries)}${truncated ? 'What was before is no longer kept.\n' : ''}`);
  if (image.state === 'dead') {
    process.stderr.write(`gantry dead-letters replay ${image.id} gives it all its attempts again.\n`);
  }
};

/** The images that are meant: those named, or all that the filters let through. */
const selected = async (
  server: GantryClient,
  ids: readonly string[],
  options: Change,
): Promise<readonly string[]> => {
  checkSelection(ids, options.all === true);
  const filter = filterOf(options);
  if (ids.length === 0) return Array.fromAsync(server.images(filter), ({ id }) => id);
  if (Object.keys(filter).length > 0) throw new SelectionError('filters go with --all, not with IDs');
  return imageIds(server, ids);
};

/** `gantry images delete`: asks before `--all`. Throws SelectionError, ConfigError, ClientError. */
export const remove = async (ids: readonly string[], options: Change): Promise<void> => {
  const server = connect(options);
  const meant = await selected(server, ids, options);
  if (options.all && meant.length > 0) {
    const what = counted(meant.length, 'image');
    await confirm(`This deletes ${what} with originals and results.`, options.yes === true);
  }
  await forEach(meant, async (id) => {
    await server.remove(id);
    if (options.json) printJson({ id, deleted: true });
    else print(`${id} deleted\n`);
  });
  if (meant.length === 0) print('No such images.\n');
};

/** `gantry images reprocess`. Throws SelectionError, ConfigError, ClientError. */
export const reprocess = async (ids: readonly string[], options: Change): Promise<void> => {
  const server = connect(options);
  const meant = await selected(server, ids, options);
  await forEach(meant, async (id) => {
    const image = await server.reprocess(id);
    if (options.json) printJson(image);
    else print(`${id} queued again, generation ${image.generation}\n`);
  });
  if (meant.length === 0) print('No such images.\n');
};
