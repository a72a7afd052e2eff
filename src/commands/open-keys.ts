import { type KeyRing, openKeyRing } from '../access/key-ring.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../observability/log.ts';
import { StartError } from './lifecycle.ts';

/**
 * The keys of the file that is set, undefined if access is open. Throws {@link StartError} where a key to *send* is set
 * instead, which differs by one letter, and KeyFileError if the file cannot be used.
 */
export const openKeys = async (
  { apiKeysFile }: Pick<Config, 'apiKeysFile'>,
  log: Logger,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<KeyRing | undefined> => {
  if (apiKeysFile === undefined) {
    const sent = ['GANTRY_API_KEY', 'GANTRY_API_KEY_FILE'].find((name) => environment[name]);
    if (sent !== undefined) {
      throw new StartError(
        `${sent} is a key that commands send; which keys this server takes is GANTRY_API_KEYS_FILE (unset ${sent} to leave access open)`,
      );
    }
    log.info('access is open: no API keys are set (apiKeysFile)');
    return undefined;
  }
  const keys = await openKeyRing(apiKeysFile, log);
  const [level, note] =
    keys.count() === 0 ? (['warn', ': nobody gets in'] as const) : (['info', ''] as const);
  log[level]({ keys: keys.count(), file: apiKeysFile }, `access needs an API key${note}`);
  return keys;
};
