#!/usr/bin/env node
import { Command, Option } from 'commander';
import { modelCommand } from './commands/model.ts';
import { serve } from './commands/serve.ts';
import {
  ConfigError,
  environmentName,
  flagName,
  loadConfig,
  type SettingName,
  settingNames,
  settings,
} from './config.ts';
import { version } from './version.ts';

const withSettings = (command: Command): Command => {
  for (const name of settingNames) {
    const { kind, description, default: fallback } = settings[name];
    const note = [environmentName(name), ...(fallback === undefined ? [] : [`default ${fallback}`])].join(
      ', ',
    );
    command.addOption(
      new Option(`${flagName(name)} <value>`, `${description} Takes ${kind.name} (${note}).`),
    );
  }
  return command;
};

const program = new Command('gantry')
  .description('AI image-processing pipeline: upload, durable queue, ONNX model, stored and streamed results')
  .version(version)
  .showHelpAfterError('(gantry --help lists the commands and their options)')
  .configureHelp({ showGlobalOptions: false });

withSettings(program.command('serve'))
  .summary('run everything in one process group')
  .description(
    'Runs web server, queue, store and inference workers in one process group, with nothing installed.',
  )
  .addHelpText(
    'after',
    '\nExamples:\n  $ gantry serve\n  $ gantry serve --port 8080 --data-dir /var/lib/gantry\n  $ GANTRY_WORKERS=2 gantry serve',
  )
  .action((flags: Partial<Record<SettingName, string>>) => serve(loadConfig(process.env, flags)));
program.addCommand(modelCommand());

/** A mistake of the user's is one line; a fault of ours keeps its stack. */
const explain = (error: unknown): { text: string; exitCode: number } => {
  if (!(error instanceof Error)) return { text: String(error), exitCode: 1 };
  const expected = 'code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_');
  return {
    text: `gantry: ${expected ? error.message : error.stack}`,
    exitCode: error instanceof ConfigError ? 2 : 1,
  };
};

try {
  await program.parseAsync();
} catch (error) {
  const { text, exitCode } = explain(error);
  process.stderr.write(`${text}\n`);
  process.exit(exitCode);
}
