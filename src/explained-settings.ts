import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { type Flags, type Given, givenIn, ownModel, parseGiven } from './config.ts';
import { refuseUnknown } from './environment.ts';
import { ConfigError } from './setting-kinds.ts';
import { type SettingName, settingNames, settingVariables } from './settings.ts';

/** A setting as `gantry config` tells of it: what it was given, by what, or what is wrong with it. */
export interface Explained {
  readonly name: SettingName;
  readonly given: Given | undefined;
  readonly fault: ConfigError | undefined;
}

/** Every setting, with where it comes from. Throws {@link ConfigError} for an unknown one. */
export const explainSettings = (environment: NodeJS.ProcessEnv, flags: Flags = {}): Explained[] => {
  refuseUnknown(environment, settingVariables);
  const given = givenIn(environment, flags);
  const derived: Partial<Record<SettingName, () => string>> = {
    imagesDir: () => resolve(given('dataDir')?.text ?? '', 'images'),
    workers: () => String(availableParallelism()),
  };
  return settingNames.map((name) => {
    try {
      const found = given(name);
      if (found === undefined) {
        const text = derived[name]?.();
        return { name, given: text === undefined ? undefined : { text, where: 'default' }, fault: undefined };
      }
      const value = name === 'model' && found.where === 'default' ? ownModel : parseGiven(name, found);
      const text = typeof value === 'string' ? value : found.text;
      return { name, given: { ...found, text }, fault: undefined };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { name, given: undefined, fault: error };
    }
  });
};
