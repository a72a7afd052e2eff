import { readFileSync } from 'node:fs';
import { ConfigError } from './setting-kinds.ts';

/** Whether Kubernetes set it, for Services called `gantry` or `gantry-...`; never a person. */
export const serviceLink = (name: string, value = ''): boolean =>
  /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)/.test(name) ||
  (/^GANTRY_(.+_)?PORT$/.test(name) && /^(tcp|udp):/.test(value));

/** Meant for commands that talk to a server; no server minds them. */
export const clientVariables = [
  { name: 'url', variable: 'GANTRY_URL', flag: '--url', default: 'http://localhost:5000', secret: false },
  { name: 'apiKey', variable: 'GANTRY_API_KEY', flag: null, default: undefined, secret: true },
  {
    name: 'apiKeyFile',
    variable: 'GANTRY_API_KEY_FILE',
    flag: '--api-key-file',
    default: undefined,
    secret: false,
  },
] as const;

/** Throws {@link ConfigError} for a `GANTRY_...` variable that is none of `settings`: it is misspelt. */
export const refuseUnknown = (environment: NodeJS.ProcessEnv, settings: ReadonlySet<string>): void => {
  const known = new Set<string>([...settings, ...clientVariables.map(({ variable }) => variable)]);
  for (const name of Object.keys(environment)) {
    if (name.startsWith('GANTRY_') && !known.has(name) && !serviceLink(name, environment[name])) {
      const near = [...known].find((one) => one.includes(name.slice(7)) || name.includes(one));
      throw new ConfigError(
        `unknown setting ${name}${near ? `; did you mean ${near}?` : ''} (gantry serve --help lists all settings)`,
      );
    }
  }
};

/** What the file holds that a `..._FILE` variable names, without white space around it. Throws {@link ConfigError}. */
export const fromFile = (variable: string, path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new ConfigError(`${variable}: cannot read ${path}`, { cause });
  }
};
