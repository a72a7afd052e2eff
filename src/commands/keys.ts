import { Command } from 'commander';
import { scopes } from '../access/api-key.ts';
import { environmentName, flagName } from '../settings.ts';
import { addExamples } from './help.ts';
import type { Create, OfFile } from './key-changes.ts';

/** Loaded when needed: it loads TypeBox, which would double the start time of every command. */
const changes = () => import('./key-changes.ts');

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `gantry keys ...`: who may use a server. Works on the file; no server needs to run. */
export const keysCommand = (): Command => {
  const command = new Command('keys').description('API keys: create, list, revoke');
  const sub = (name: string, summary: string, ...examples: string[]): Command =>
    addExamples(
      command
        .command(name)
        .description(summary)
        .option(
          `${flagName('apiKeysFile')} <file>`,
          `the file of the keys (${environmentName('apiKeysFile')})`,
        )
        .option('--json', 'print JSON'),
      examples,
    );
  sub(
    'create',
    'make a key and print it, once; a new file is made if there is none',
    'gantry keys create --name ci --scope upload --scope read --expires 90d --rate 100/m',
    '(umask 077 && gantry keys create --name me --scope admin --quiet > ~/.gantry-key)',
  )
    .requiredOption('--name <name>', 'whose it is; unique')
    .requiredOption(
      '--scope <scope>',
      `what it may do: ${scopes.join(', ')} (all of it); may be repeated`,
      collect,
    )
    .option('--expires <duration>', 'when it stops working, such as 90d', 'never')
    .option(
      '--rate <rate>',
      'most requests, such as 10/s, 100/m or 5000/h, of each server (default: no limit)',
    )
    .option('--quiet', 'print nothing but the key')
    .action(async (options: Create) => (await changes()).create(options));
  sub('list', 'list them, without what would let anybody in', 'gantry keys list').action(
    async (options: OfFile & { json?: true }) => (await changes()).list(options),
  );
  sub('revoke', 'make a key useless, within seconds', 'gantry keys revoke 3k9d0x2mfa7q')
    .argument('<id>')
    .action(async (id: string, options: OfFile) => (await changes()).revoke(id, options));
  return command;
};
