import type { Flags } from '../config.ts';
import { clientVariables } from '../environment.ts';
import { explainSettings } from '../explained-settings.ts';
import { environmentName, flagName, type SettingName, settings } from '../settings.ts';
import { print, printJson } from './print.ts';
import { table } from './table.ts';
import { plain } from './texts.ts';

/** One setting as it is told: never with a password in it. */
interface Line {
  readonly name: string;
  readonly flag: string | null;
  readonly variable: string;
  /** null: unset, or hidden. */
  readonly value: string | null;
  readonly hidden: boolean;
  /** `default`, `unset`, the flag, the variable, or the file. */
  readonly from: string;
  readonly error: string | null;
}

const hiddenText = '(hidden)';

/** An address without what it may hold of a secret. */
const withoutSecrets = (address: string): string => {
  if (!URL.canParse(address)) return `${address.replace(/:\/\/.*/s, '://')}…`;
  const { protocol, host, pathname, username, password, search } = new URL(address);
  const user = username || password ? '…@' : '';
  return `${protocol}//${user}${host}${pathname}${search ? '?…' : ''}`;
};

const shownValue = (name: SettingName, text: string): string | null => {
  const { kind } = settings[name];
  if (kind.secret) return text.includes('://') ? withoutSecrets(text) : null;
  return text.includes('-----BEGIN') ? `certificates, ${text.length} characters` : text;
};

const ofServer = (environment: NodeJS.ProcessEnv, flags: Flags): Line[] =>
  explainSettings(environment, flags).map(({ name, given, fault }) => {
    const variable = environmentName(name);
    const value = given === undefined ? null : shownValue(name, given.text);
    const file = environment[`${variable}_FILE`];
    const from = given?.where === `${variable}_FILE` ? `file ${file}` : (given?.where ?? 'unset');
    return {
      ...{ name, flag: flagName(name), variable, value },
      hidden: given !== undefined && value !== given.text && settings[name].kind.secret,
      from: fault === undefined ? from : 'invalid',
      error: fault?.message ?? null,
    };
  });

/** What commands that talk to a server read, besides. */
const ofClient = (environment: NodeJS.ProcessEnv): Line[] =>
  clientVariables.map(({ variable, name, flag, default: fallback, secret }) => {
    const given = environment[variable] || undefined;
    const value = given ?? fallback ?? null;
    const shown =
      variable === 'GANTRY_URL' && value !== null ? withoutSecrets(value).replace(/\/$/, '') : value;
    return {
      ...{ name, flag, variable },
      value: secret ? null : shown,
      hidden: secret && given !== undefined,
      from: given !== undefined ? variable : fallback === undefined ? 'unset' : 'default',
      error: null,
    };
  });

/**
 * `gantry config`: every setting, its value and where it comes from; no secret. Exit code 2 if one of them is wrong. Throws
 * ConfigError for an unknown one.
 */
export const config = (flags: Flags, { json, set }: { json: boolean; set: boolean }): void => {
  const all = [...ofServer(process.env, flags), ...ofClient(process.env)];
  const lines = set ? all.filter(({ from }) => from !== 'default' && from !== 'unset') : all;
  if (json) for (const line of lines) printJson(line);
  else if (lines.length === 0) print('Nothing is set: everything has its default.\n');
  else {
    const rows = lines.map(({ name, variable, value, hidden, from }) => [
      ...[name, variable, plain(value ?? (hidden ? hiddenText : '')), from],
    ]);
    print(table(['SETTING', 'VARIABLE', 'VALUE', 'FROM'], rows));
  }
  const faults = lines.flatMap(({ error }) => (error === null ? [] : [error]));
  for (const fault of faults) process.stderr.write(`gantry: ${fault}\n`);
  if (faults.length > 0) process.exitCode = 2;
};
