import { Command } from 'commander';
import { addConnection } from './connection.ts';
import { addExamples } from './help.ts';
import type { UploadOptions } from './upload-run.ts';

/** `gantry upload PATH...` */
export const uploadCommand = (): Command =>
  addExamples(
    addConnection(
      new Command('upload')
        .summary('upload pictures: files, folders, patterns, standard input')
        .description(
          'Uploads files, all pictures in folders and below, what patterns match, and with - what comes from standard input. What the server has already is recognised by its SHA-256 and not sent again, so the same command goes on after a failure, and in the middle of a file above 8 MB, too, also if it was killed. A server that is away is waited for. Exit code 0 if every file is there (with --wait: has a label), 1 if not, 2 for wrong usage, 130 after Ctrl-C.',
        )
        .argument('<paths...>', 'files, folders, patterns such as "*.jpg", or - for standard input')
        .option('-c, --concurrency <number>', 'uploads at once', '4')
        .option('-w, --wait', 'wait for the results, and print a table of them')
        .option('--timeout <duration>', 'with --wait: for how long at most (default: no limit)')
        .option('--patience <duration>', 'how long a server that is away is tried again', '5m')
        .option('--again', 'upload also what the server has already')
        .option('--name <name>', 'what to call the picture from standard input', 'stdin')
        .option('--json', 'print one JSON line an image'),
    ).action(async (paths: string[], options: UploadOptions) =>
      (await import('./upload-run.ts')).upload(paths, options),
    ),
    [
      'gantry upload cat.jpg dog.png',
      'gantry upload holiday/ --wait',
      "gantry upload 'scans/**/*.tiff' --concurrency 16 --json > uploaded.jsonl",
      'curl -s https://example.com/cat.jpg | gantry upload - --name cat.jpg --wait',
    ],
  );
