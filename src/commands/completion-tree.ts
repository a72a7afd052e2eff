import type { Command, Option } from 'commander';
import { family, nameOf } from './help.ts';

/** What may follow a command, as shells complete it. */
export interface Node {
  /** As one types it: `gantry images list`. */
  readonly line: string;
  /** Commands below it, or the words that its argument may be. */
  readonly words: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly {
    readonly names: readonly string[];
    readonly summary: string;
    /** Whether a value follows. */
    readonly value: boolean;
    /** The values it takes, if they are known. */
    readonly choices: readonly string[];
  }[];
}

/** The first sentence. */
const short = (text: string): string =>
  /^.*?[.;:](?= |$)|^.*$/s.exec(text)?.[0].replace(/[.;:]$/, '') ?? text;

const flagOf = ({ long, short: letter, description, required, optional, argChoices }: Option) => ({
  names: [long, letter].filter((name) => name !== undefined),
  summary: short(description),
  value: required || optional,
  choices: argChoices ?? [],
});

const help = { names: ['--help', '-h'], summary: 'display help for command', value: false, choices: [] };

/** Every command of a program with what may follow it. */
export const completionTree = (program: Command): Node[] =>
  [...family(program)].map((command) => ({
    line: nameOf(command),
    words: [
      ...command.commands.map((one) => ({
        name: one.name(),
        summary: one.summary() || short(one.description()),
      })),
      ...command.registeredArguments.flatMap(({ argChoices, description }) =>
        (argChoices ?? []).map((name) => ({ name, summary: description })),
      ),
    ],
    flags: [...command.options.filter(({ hidden }) => !hidden).map(flagOf), help],
  }));
