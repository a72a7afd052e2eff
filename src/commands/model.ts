import { Command } from 'commander';

/** The commands about model folders. */
export const modelCommand = (): Command => {
  const command = new Command('model').description('commands about model folders');
  command
    .command('check')
    .description('load a model folder, run it on a picture and print what it is; exit code 1 if it is broken')
    .argument('<folder>', 'the folder with manifest.json')
    .option('--image <file>', 'the picture to try it on (without it, a plain grey one)')
    .option('--json', 'print JSON')
    .action(async (folder, options) => (await import('./model-check.ts')).check(folder, options));
  return command;
};
