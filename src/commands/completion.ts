import { Argument, Command } from 'commander';
import { addExamples } from './help.ts';

/** `gantry completion SHELL`: completes whatever the program has that it ends up in. */
export const completionCommand = (): Command => {
  const command = new Command('completion')
    .summary('print a script that completes commands and flags in a shell')
    .description(
      'Prints a script that lets a shell complete commands, flags and values. It is for a `gantry` that the shell finds: put bin/ of the clone on the PATH.',
    )
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .action(async (shell: 'bash' | 'zsh' | 'fish') => {
      const { completionTree } = await import('./completion-tree.ts');
      const { completionScripts } = await import('./completion-scripts.ts');
      const program = command.parent ?? command;
      process.stdout.write(completionScripts[shell](completionTree(program)));
    });
  return addExamples(command, [
    'source <(gantry completion bash)      # in ~/.bashrc',
    'source <(gantry completion zsh)       # in ~/.zshrc, after compinit',
    'gantry completion fish > ~/.config/fish/completions/gantry.fish',
  ]);
};
