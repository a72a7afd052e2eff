import type { Command } from 'commander';

const examples = new WeakMap<Command, readonly string[]>();

/** Ends a command's help with lines that can be typed. */
export const addExamples = (command: Command, lines: readonly string[]): Command => {
  examples.set(command, lines);
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
};
export const examplesOf = (command: Command): readonly string[] => examples.get(command) ?? [];

/** As one types it: `gantry dead-letters list`. */
export const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;

/** A command with all below it. */
export function* family(command: Command): Generator<Command> {
  yield command;
  for (const one of command.commands) yield* family(one);
}
