import { Command } from 'commander';
import { ClientError, type GantryClient, type Image } from '../client/client.ts';
import { addConnection, type Connection, connect } from './connection.ts';
import { addExamples } from './help.ts';
import { print, printFacts, printJson } from './print.ts';
import { checkSelection, confirm, forEach, imageId, imageIds } from './selection.ts';
import { bytesText, counted, plain, timeText } from './texts.ts';

const rowOf = ({ id, updatedAt, attempts, error, filename }: Image): string[] => [
  ...[id, plain(filename), error?.code ?? '', String(attempts)],
  ...[timeText(updatedAt), plain(error?.message ?? '')],
];

const list = async (options: Connection & { json?: true }): Promise<void> => {
  const letters: Image[] = [];
  for await (const image of connect(options).deadLetters()) {
    if (options.json) printJson(image);
    else letters.push(image);
  }
  if (options.json) return;
  if (letters.length === 0) {
    print('No dead letters.\n');
    return;
  }
  const head = ['ID', 'FILE', 'WHY', 'ATTEMPTS', 'DEAD SINCE', 'LAST ERROR'];
  const { imageTable } = await import('./table.ts');
  print(imageTable(head, letters.map(rowOf), process.stdout.columns));
  print(`${letters.length} dead. gantry dead-letters replay ID gives one all its attempts again.\n`);
};

/** The image, if it is dead. Throws {@link ClientError}. */
const letter = async (server: GantryClient, id: string): Promise<Image> => {
  const image = await server.image(id);
  if (image.state !== 'dead') throw new ClientError('not-dead', `image ${id} is ${image.state}, not dead`);
  return image;
};

const show = async (id: string, options: Connection & { json?: true }): Promise<void> => {
  const server = connect(options);
  const image = await letter(server, await imageId(server, id));
  if (options.json) {
    printJson(image);
    return;
  }
  printFacts([
    ['id', image.id],
    ['file', `${plain(image.filename)} (${image.contentType}, ${bytesText(image.bytes)})`],
    ['uploaded', timeText(image.createdAt)],
    ['dead since', timeText(image.updatedAt)],
    ['attempts', `${image.attempts} in generation ${image.generation}`],
    ['why', image.error?.code ?? ''],
    ['last error', plain(image.error?.message ?? '')],
  ]);
};

interface Selected extends Connection {
  readonly all?: true;
  readonly json?: true;
}

const replay = async (ids: string[], options: Selected): Promise<void> => {
  checkSelection(ids, options.all === true);
  const server = connect(options);
  if (options.all) {
    const replayed = await server.replayAll();
    if (options.json) printJson({ replayed });
    else print(`${replayed} queued again.\n`);
    return;
  }
  await forEach(await imageIds(server, ids), async (id) => {
    const image = await server.replay(id);
    if (options.json) printJson(image);
    else print(`${id} queued again, generation ${image.generation}\n`);
  });
};

const discard = async (ids: string[], options: Selected & { yes?: true }): Promise<void> => {
  checkSelection(ids, options.all === true);
  const server = connect(options);
  const meant = options.all
    ? await Array.fromAsync(server.deadLetters(), ({ id }) => id)
    : await imageIds(server, ids);
  if (options.all && meant.length > 0) {
    const what = counted(meant.length, 'dead image');
    await confirm(`This deletes ${what} with originals.`, options.yes === true);
  }
  await forEach(meant, async (id) => {
    await letter(server, id);
    await server.remove(id);
    if (options.json) printJson({ id, discarded: true });
    else print(`${id} discarded\n`);
  });
};

/** `gantry dead-letters ...`: images whose every attempt failed. */
export const deadLettersCommand = (): Command => {
  const command = new Command('dead-letters').description(
    'images whose every attempt failed: look, try again, give up',
  );
  const sub = (name: string, summary: string, ...examples: string[]): Command => {
    const one = addConnection(command.command(name).description(summary));
    return addExamples(one.option('--json', 'print one JSON line an image'), examples);
  };
  sub('list', 'list them, newest first', 'gantry dead-letters list').action(list);
  sub('show', 'everything about one', 'gantry dead-letters show 019b0c6e-…').argument('<id>').action(show);
  sub(
    'replay',
    'give them all their attempts again',
    'gantry dead-letters replay 019b0c6e-…',
    'gantry dead-letters replay --all',
  )
    .argument('[ids...]')
    .option('--all', 'every dead image')
    .action(replay);
  sub(
    'discard',
    'delete the images, with their originals',
    'gantry dead-letters discard 019b0c6e-…',
    'gantry dead-letters discard --all',
  )
    .argument('[ids...]')
    .option('--all', 'every dead image')
    .option('-y, --yes', 'do not ask')
    .action(discard);
  return command;
};
