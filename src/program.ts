import { Command, Option } from 'commander';
import type { CanaryOptions } from './commands/canary.ts';
import { completionCommand } from './commands/completion.ts';
import { addConnection } from './commands/connection.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { addExamples, family, nameOf } from './commands/help.ts';
import { imagesCommand } from './commands/images.ts';
import { keysCommand } from './commands/keys.ts';
import { modelCommand } from './commands/model.ts';
import { uploadCommand } from './commands/upload.ts';
import { watchCommand } from './commands/watch.ts';
import { type Config, type Flags, loadConfig } from './config.ts';
import { environmentName, flagName, isSecret, type SettingName, settingNames, settings } from './settings.ts';
import { version } from './version.ts';

const consumerOnly: ReadonlySet<SettingName> = new Set<SettingName>([
  'workers',
  'maxBatch',
  'maxWaitMs',
  'jobDeadline',
  'workerMemory',
  'maxPixels',
  'metricsPort',
]);
const servers = settingNames.filter((name) => /^(amqp|s3)/.test(name));
const logs: readonly SettingName[] = ['logLevel', 'logFormat'];
const consumerSettings: readonly SettingName[] = [
  ...(['host', 'dataDir', 'imagesDir', 'model', 'maxAttempts', 'shutdownTimeout'] as const),
  ...consumerOnly,
  ...servers,
  ...logs,
];
const auditSettings: readonly SettingName[] = [
  ...(['dataDir', 'imagesDir', 'model', 'overdueAfter'] as const),
  ...settingNames.filter((name) => name.startsWith('database')),
  ...servers,
];

/** A command that takes settings as flags. */
const settingsCommand = (
  name: string,
  names: readonly SettingName[],
  texts: { summary: string; description: string; examples: readonly string[] },
): Command => {
  const command = new Command(name).summary(texts.summary).description(texts.description);
  for (const one of names) {
    const { kind, description, default: fallback } = settings[one];
    const note = [environmentName(one), ...(fallback === undefined ? [] : [`default ${fallback}`])].join(
      ', ',
    );
    const option = new Option(`${flagName(one)} <value>`, `${description} Takes ${kind.name} (${note}).`);
    // Known only to be refused: what is unknown is repeated in the error.
    command.addOption(isSecret(one) ? option.hideHelp() : option);
  }
  return addExamples(command, texts.examples);
};
/** Each command's own modules are loaded when it runs: drivers are slow to load, and most commands need none. */
const configOf = (flags: Flags): Config => loadConfig(process.env, flags);

const serveCommand = settingsCommand('serve', settingNames, {
  summary: 'run everything in one process group',
  description:
    'Runs web server and consumer in one process group, with nothing installed: queue, store and images are embedded unless --amqp-url, --database-url or --s3-url say otherwise.',
  examples: [
    'gantry serve',
    'gantry serve --port 8080 --data-dir /var/lib/gantry',
    'GANTRY_WORKERS=2 gantry serve',
  ],
}).action(async (flags: Flags) => (await import('./commands/serve.ts')).serve(configOf(flags)));

const webCommand = settingsCommand(
  'web',
  settingNames.filter((name) => !consumerOnly.has(name)),
  {
    summary: 'run a web server; RabbitMQ carries the jobs',
    description:
      'Takes uploads, owns the store, records results. Any number of them on PostgreSQL, one on SQLite. Needs --amqp-url.',
    examples: [
      'gantry web --amqp-url amqp://localhost',
      'gantry web --amqp-url amqp://mq-1,mq-2 --database-url postgres://db/gantry --s3-url s3://pictures',
      'GANTRY_AMQP_PASSWORD_FILE=/run/secrets/amqp gantry web --amqp-url amqps://gantry@mq',
    ],
  },
).action(async (flags: Flags) => (await import('./commands/web.ts')).web(configOf(flags)));

const consumerCommand = settingsCommand('consumer', consumerSettings, {
  summary: 'run a consumer: takes jobs, runs the model',
  description:
    'Takes jobs from RabbitMQ and runs the model on the images, which it only reads. Needs no database. Any number of them. Needs --amqp-url.',
  examples: [
    'gantry consumer --amqp-url amqp://localhost',
    'gantry consumer --amqp-url amqp://mq-1 --images-dir /data/images --workers 4 --metrics-port 0',
  ],
}).action(async (flags: Flags) => (await import('./commands/consumer.ts')).consumer(configOf(flags)));

const auditCommand = settingsCommand('audit', auditSettings, {
  summary: 'check that nothing is lost',
  description:
    'Compares store, images and queues: every accepted image is succeeded, failed, dead or in flight, and has its original. Exit code 1 on any loss. Servers may run meanwhile.',
  examples: ['gantry audit', 'gantry audit --json', 'gantry audit --repair'],
})
  .option('--json', 'print JSON')
  .option('--repair', 'queue again what nobody has, remove originals that belong to no image')
  .action(async ({ json, repair, ...flags }: Flags & { json?: true; repair?: true }) =>
    (await import('./commands/audit.ts')).audit(configOf(flags), {
      json: json === true,
      repair: repair === true,
    }),
  );

const reindexCommand = settingsCommand('reindex', auditSettings, {
  summary: 'rebuild a lost store from the originals',
  description:
    'Every original without an image in the store becomes a queued image again, with its ID and time; file names and results are gone. What the store has is left alone.',
  examples: ['gantry reindex', 'gantry reindex --database-url postgres://db/gantry --s3-url s3://pictures'],
})
  .option('--json', 'print JSON')
  .action(async ({ json, ...flags }: Flags & { json?: true }) =>
    (await import('./commands/reindex.ts')).reindex(configOf(flags), { json: json === true }),
  );

const canaryCommand = addConnection(
  settingsCommand('canary', ['model'], {
    summary: 'check a running server with a known picture',
    description:
      "Uploads the model folder's known picture, waits for its result, checks the label and deletes the image. A server that is away is tried until the time is up. Exit code 0 if all is right, 1 if not, 2 for wrong usage.",
    examples: [
      'gantry canary',
      'gantry canary --url http://web-server:5000 --timeout 2m --json',
      'gantry canary --picture dog.jpg --expect dog',
    ],
  }),
)
  .option('--timeout <duration>', 'until when the result must be there; deleting may take 10 s more', '60s')
  .option('--picture <file>', "instead of the model folder's own; needs --expect")
  .option('--expect <label>', 'the label that the picture must get')
  .option('--keep', 'do not delete the image')
  .option('--json', 'print one line of JSON')
  .action(async ({ model, ...options }: Flags & CanaryOptions) =>
    (await import('./commands/canary.ts')).canary(
      configOf(model === undefined ? {} : { model }).model,
      options,
    ),
  );

const moveStoreCommand = settingsCommand(
  'move-store',
  ['databaseUrl', 'databaseUsername', 'databasePassword', 'databaseCa'],
  {
    summary: 'move a store from SQLite to PostgreSQL',
    description:
      'Copies everything that the SQLite store of a stopped server holds (images, results, history) into an empty PostgreSQL database; the SQLite store and the originals are left as they are. All of it is copied, or nothing.',
    examples: [
      'gantry move-store --from ./data --database-url postgres://db/gantry',
      'GANTRY_DATABASE_URL=postgres://db/gantry gantry move-store --from /var/lib/gantry --json',
    ],
  },
)
  .option('--from <folder>', 'the data folder of the store')
  .option('--json', 'print one line of JSON')
  .action(async ({ json, from, ...flags }: Flags & { json?: true; from?: string }) =>
    (await import('./commands/move-store.ts')).moveStore(configOf(flags), { from, json: json === true }),
  );

const doctorCommand = settingsCommand('doctor', settingNames, {
  summary: 'check everything that a server needs, and say how to mend it',
  description:
    'Checks settings, folders, disk, store, broker, image storage, model, Node and, if one answers, the server at GANTRY_URL. Changes nothing. Exit code 1 if something fails.',
  examples: [
    'gantry doctor',
    'gantry doctor --data-dir /var/lib/gantry --json',
    'GANTRY_URL=http://web-server:5000 gantry doctor',
  ],
})
  .option('--json', 'print one JSON line a check')
  .action(async ({ json, ...flags }: Flags & { json?: true }) =>
    (await import('./commands/doctor.ts')).doctor(flags, { json: json === true }),
  );

const configCommand = settingsCommand('config', settingNames, {
  summary: 'show every setting, and where it comes from',
  description:
    'Shows every setting with its value and where that comes from: flag, environment, file or default. Secrets are not shown. Exit code 2 if one is wrong.',
  examples: ['gantry config', 'gantry config --set', 'gantry config --json | jq -r .variable'],
})
  .option('--set', 'only what is not at its default')
  .option('--json', 'print one JSON line a setting')
  .action(async ({ json, set, ...flags }: Flags & { json?: true; set?: true }) =>
    (await import('./commands/config.ts')).config(flags, { json: json === true, set: set === true }),
  );

/** The whole command line. Exit code 2 for wrong usage. */
export const createProgram = (): Command => {
  const program = new Command('gantry')
    .description(
      'AI image-processing pipeline: upload, durable queue, ONNX model, stored and streamed results',
    )
    .version(version);
  const groups: Readonly<Record<string, readonly Command[]>> = {
    'Use a server:': [uploadCommand(), watchCommand(), imagesCommand(), deadLettersCommand(), canaryCommand],
    'Run a server:': [serveCommand, webCommand, consumerCommand, keysCommand(), modelCommand()],
    'Keep it in order:': [doctorCommand, configCommand, auditCommand, reindexCommand, moveStoreCommand],
  };
  for (const [group, commands] of Object.entries(groups)) {
    for (const command of commands) program.addCommand(command.helpGroup(group));
  }
  program.commandsGroup('Besides:').addCommand(completionCommand());
  for (const command of family(program)) {
    command.exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
    // An option that there is not is told, but not its value, as commander does: it may be a secret.
    command.configureOutput({
      outputError: (text, write) => write(text.replace(/'(--?[^='\s]+)=.*'/s, "'$1'")),
    });
    command.showHelpAfterError(`(${nameOf(command)} --help has all options and examples)`);
  }
  return program;
};
