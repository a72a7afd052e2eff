import { Command } from 'commander';
import { addConnection, type Connection } from './connection.ts';
import { addExamples } from './help.ts';

/** `gantry model ...` */
export const modelCommand = (): Command => {
  const command = new Command('model').description('models: those of a server, and folders of your own');
  const sub = (name: string, summary: string, ...examples: string[]): Command =>
    addExamples(command.command(name).description(summary), examples);
  addConnection(
    sub('list', 'list the models of a running server', 'gantry model list', 'gantry model list --json'),
  )
    .option('--json', 'print one JSON line a model')
    .action(async (options: Connection & { json?: true }) => (await import('./model-list.ts')).list(options));
  sub(
    'check',
    'load a model folder, run it on a picture and print what it is; exit code 1 if it is broken',
    'gantry model check models/pets',
    'gantry model check models/mine --image cat.jpg --json',
  )
    .argument('<folder>', 'the folder with manifest.json')
    .option('--image <file>', 'the picture to try it on (without it, a plain grey one)')
    .option('--json', 'print JSON')
    .action(async (folder, options) => (await import('./model-check.ts')).check(folder, options));
  return command;
};
