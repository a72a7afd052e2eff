import { Command, Option } from 'commander';
import type { ImageState } from '../client/client.ts';
import { addConnection } from './connection.ts';
import { addExamples } from './help.ts';
import type { Change, Filters, List, Show } from './image-commands.ts';

const states: readonly ImageState[] = ['queued', 'processing', 'succeeded', 'failed', 'dead'];

/** The filters of the API. */
const addFilters = (command: Command): Command =>
  command
    .addOption(new Option('-s, --state <state>', 'only those in this state').choices(states))
    .option('-l, --label <label>', 'only those with this label')
    .option('-t, --text <text>', 'only those with this in their file name, in any case')
    .option('--from <time>', 'uploaded at or after: 2026-11-25, 2026-11-25T14:00Z, or 2h for two hours ago')
    .option('--until <time>', 'uploaded before')
    .option('--sha256 <digest>', 'only those whose file has this SHA-256')
    .option('--json', 'print one JSON line an image');

/** Loaded when needed, as most commands do not need it. */
const commands = () => import('./image-commands.ts');

/** `gantry images ...` */
export const imagesCommand = (): Command => {
  const command = new Command('images').description('images: list, look, delete, process once more');
  const sub = (name: string, summary: string, ...examples: string[]): Command =>
    addExamples(addConnection(command.command(name).description(summary)), examples);
  addFilters(
    sub(
      'list',
      'list images, newest first',
      'gantry images list',
      'gantry images list --state failed --from 1d',
      'gantry images list --label cat --all --json | jq -r .filename',
    ),
  )
    .option('-n, --limit <number>', 'how many at most', '50')
    .option('--all', 'all of them')
    .action(async (options: List) => (await commands()).list(options));
  sub(
    'show',
    'everything about one image',
    'gantry images show 019b0c6e-…',
    'gantry images show --json 019b0c6e-…',
  )
    .argument('<id>')
    .option('--json', 'print one JSON line')
    .action(async (id: string, options: Show) => (await commands()).show(id, options));
  const change = (name: string, summary: string, ...examples: string[]): Command =>
    addFilters(sub(name, summary, ...examples).argument('[ids...]')).option(
      '--all',
      'all that the filters let through',
    );
  change(
    'delete',
    'delete images, with their originals and results',
    'gantry images delete 019b0c6e-…',
    'gantry images delete --state failed --all',
  )
    .option('-y, --yes', 'do not ask')
    .action(async (ids: string[], options: Change) => (await commands()).remove(ids, options));
  change(
    'reprocess',
    'process images once more, as a new generation',
    'gantry images reprocess 019b0c6e-…',
    'gantry images reprocess --label other --from 2026-11-25 --all',
  ).action(async (ids: string[], options: Filters & Change) => (await commands()).reprocess(ids, options));
  return command;
};
