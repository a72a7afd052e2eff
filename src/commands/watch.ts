import { Command } from 'commander';
import { absentHint, addConnection, type Connection, connect, serverUrl } from './connection.ts';
import { addExamples } from './help.ts';
import { print, printJson } from './print.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { outcomeText, plain, stateText } from './texts.ts';

interface Watch extends Connection {
  readonly ended?: true;
  readonly json?: true;
}

const unended = new Set(['queued', 'processing']);
const longestState = 10;

/** Changes as they happen, until Ctrl-C or until nobody reads them any more; what the stream does is told on stderr. */
const watch = async (options: Watch): Promise<void> => {
  const server = connect(options);
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const unread = new AbortController();
  process.stdout.once('error', () => unread.abort());
  const { stop } = stopOnSignals(() => {});
  let state: 'new' | 'open' | 'lost' = 'new';
  const stream = server.events({
    signal: AbortSignal.any([stop, unread.signal]),
    onOpen() {
      if (state === 'new') tell(`Watching ${serverUrl(options.url)}, times in UTC; Ctrl-C ends it`);
      if (state === 'lost') tell('the server answers again; nothing was missed');
      state = 'open';
    },
    onLost({ message }) {
      if (state !== 'lost')
        tell(`${message}; trying again (Ctrl-C stops)${state === 'new' ? absentHint : ''}`);
      state = 'lost';
    },
  });
  for await (const { type, id, image } of stream) {
    if (options.ended && unended.has(type)) continue;
    if (options.json) printJson(image === null ? { event: type, id } : { event: type, ...image });
    else if (image === null)
      print(`${new Date().toISOString().slice(11, 19)}  ${'deleted'.padEnd(longestState)}  ${id}\n`);
    else {
      const padding = ' '.repeat(longestState - image.state.length);
      const end = `${plain(image.filename)}  ${outcomeText(image)}`.trimEnd();
      print(`${image.updatedAt.slice(11, 19)}  ${stateText(image.state)}${padding}  ${id}  ${end}\n`);
    }
  }
};

/** `gantry watch` */
export const watchCommand = (): Command =>
  addExamples(
    addConnection(
      new Command('watch')
        .summary('watch images change, live')
        .description(
          'Prints a line whenever an image changes its state, until Ctrl-C. A connection that breaks is made again, and nothing is missed meanwhile.',
        ),
    )
      .option('--ended', 'only what has succeeded, failed, died or was deleted')
      .option('--json', 'print one JSON line a change: the image, with `event`')
      .action(watch),
    [
      'gantry watch',
      'gantry watch --ended',
      'gantry watch --json | jq -r \'select(.event == "failed") .filename\'',
    ],
  );
