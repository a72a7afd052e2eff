import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromFile, refuseUnknown, serviceLink } from './environment.ts';
import { ConfigError, holdsPassword } from './setting-kinds.ts';
import {
  environmentName,
  flagName,
  isSecret,
  type SettingName,
  type SettingValues,
  settingNames,
  settings,
  settingVariables,
} from './settings.ts';

/** Every setting, parsed; what is unset in the environment and on the command line has its default. */
export type Config = Readonly<SettingValues> & {
  /** A setting as it is now: read again if it came from a file, which is how a Secret changes under a process. */
  readonly now: <Name extends SettingName>(name: Name) => SettingValues[Name];
};

const refuseSecretFlag = (name: SettingName, value: string): void => {
  const hidden = `set ${environmentName(name)}, or ${environmentName(name)}_FILE to a file that holds it`;
  if (isSecret(name)) {
    throw new ConfigError(
      `${flagName(name)} is not taken: every user of a machine sees its command lines; ${hidden}`,
    );
  }
  if (settings[name].kind.secret && holdsPassword(value)) {
    throw new ConfigError(
      `${flagName(name)} takes no URL with a password in it: every user of a machine sees its command lines; ${hidden}`,
    );
  }
};

/** What a setting was given as, and by what: its flag, its variable, the variable of a file, or `default`. */
export interface Given {
  readonly text: string;
  readonly where: string;
}
export type Flags = Partial<Record<SettingName, string>>;

/** Command line before environment before `GANTRY_*_FILE` before default. Throws {@link ConfigError} for an unreadable file and for a secret on the command line. */
export const givenIn =
  (environment: NodeJS.ProcessEnv, flags: Flags) =>
  (name: SettingName): Given | undefined => {
    const variable = environmentName(name);
    const flag = flags[name];
    if (flag !== undefined) {
      refuseSecretFlag(name, flag);
      return { text: flag, where: flagName(name) };
    }
    const value = environment[variable];
    if (value !== undefined && value !== '' && !serviceLink(variable, value))
      return { text: value, where: variable };
    const file = environment[`${variable}_FILE`];
    if (file) return { text: fromFile(`${variable}_FILE`, file), where: `${variable}_FILE` };
    const fallback = settings[name].default;
    return fallback === undefined ? undefined : { text: fallback, where: 'default' };
  };

/** The value of what a setting was given. Throws {@link ConfigError}, which says by what. */
export const parseGiven = (name: SettingName, { text, where }: Given): unknown => {
  try {
    return settings[name].kind.parse(text);
  } catch (cause) {
    throw new ConfigError(`${where} ${(cause as Error).message}`, { cause });
  }
};

/** The default of `model`: beside this file, wherever the command is called from. */
export const ownModel = fileURLToPath(new URL('../models/pets', import.meta.url));

/**
 * Puts the settings together: command line before environment before `GANTRY_*_FILE` before default.
 * Throws {@link ConfigError} for an unknown or malformed one, and for a secret on the command line.
 */
export const loadConfig = (environment: NodeJS.ProcessEnv, flags: Flags = {}): Config => {
  refuseUnknown(environment, settingVariables);
  const given = givenIn(environment, flags);
  const parsed: Record<string, unknown> = {};
  for (const name of settingNames) {
    const value = given(name);
    if (value !== undefined) parsed[name] = parseGiven(name, value);
  }
  if (given('model')?.where === 'default') parsed.model = ownModel;
  parsed.imagesDir ??= join(parsed.dataDir as string, 'images');
  parsed.workers ??= availableParallelism();
  const latest = { ...parsed };
  const now = (name: SettingName): unknown => {
    try {
      const value = given(name);
      if (value?.where === `${environmentName(name)}_FILE`)
        latest[name] = settings[name].kind.parse(value.text);
    } catch {
      // Between two versions of a Secret, or wrongly changed: what worked so far may work still.
    }
    return latest[name];
  };
  return { ...parsed, now } as Config;
};
