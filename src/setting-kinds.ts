import { isIP } from 'node:net';
import { resolve } from 'node:path';

/** A mistake in the settings: one line that names the setting, what it was given and what it takes. Exit code 2. */
export class ConfigError extends Error {
  readonly code = 'invalid-setting';
}

export interface Kind<T> {
  readonly name: string;
  /** What is given may be a password, or hold one: it is never shown. */
  readonly secret: boolean;
  parse(text: string): T;
}

const kind = <T>(name: string, parse: (text: string) => T | undefined, secret = false): Kind<T> => ({
  name,
  secret,
  parse(text) {
    const value = parse(text.trim());
    if (value === undefined) {
      throw new ConfigError(`takes ${name}${secret ? '' : `, not ${JSON.stringify(text)}`}`);
    }
    return value;
  },
});

const unitsOfBytes: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};
const unitsOfTime: Record<string, number> = { ms: 1, '': 1, s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

const withUnit = (units: Record<string, number>) => (text: string) => {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? [];
  const factor = units[unit?.toLowerCase() ?? ''];
  return number === undefined || factor === undefined ? undefined : Math.round(Number(number) * factor);
};
export const integer = (least: number, most: number) =>
  kind(`a whole number from ${least} to ${most}`, (text) => {
    const value = Number(text);
    return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined;
  });
export const share = kind('a number from 0 to 1 such as 0.1', (text) => {
  const value = Number(text);
  return /^\d*\.?\d+$/.test(text) && value <= 1 ? value : undefined;
});
export const text = kind('a text', (value) => (value === '' ? undefined : value));
/** An address that may hold a password: never repeated in an error. */
export const address = (name: string, ...schemes: string[]) =>
  kind(
    name,
    (value) => {
      // Several hosts, as brokers are given them, are more than a URL takes.
      const single = value.replace(/^([a-z0-9]+:\/\/(?:[^@/]*@)?[^,/?]+),[^/?]*/i, '$1');
      return schemes.some((scheme) => value.startsWith(`${scheme}://`)) && URL.canParse(single)
        ? value
        : undefined;
    },
    true,
  );
export const secret = kind('a text', (value) => (value === '' ? undefined : value), true);
/** Whether an address, wherever it leads, has a password in it: before its host, or as libpq takes it after a `?`. */
export const holdsPassword = (url: string): boolean =>
  /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:[^/?#]*[^/?#:]@/i.test(url) || /[?&](ssl)?password=./i.test(url);
export const pem = kind('certificates in PEM', (value) =>
  value.includes('-----BEGIN CERTIFICATE-----') ? value : undefined,
);
export const folder = kind('a folder', (value) => (value === '' ? undefined : resolve(value)));
export const file = kind('a file', (value) => (value === '' ? undefined : resolve(value)));
export const trueOrFalse = kind('true or false', (value) =>
  value === 'true' ? true : value === 'false' ? false : undefined,
);
/** A list with commas; undefined if one of them is none. */
const listOf =
  (is: (item: string) => boolean) =>
  (value: string): string[] | undefined => {
    const items = value.split(',').map((item) => item.trim());
    return items.every(is) ? items : undefined;
  };
/** Exact ones: a pattern lets in more than one thinks. */
export const origins = kind(
  'origins such as https://a.example.com, separated by commas',
  listOf((item) => /^https?:/.test(item) && URL.canParse(item) && new URL(item).origin === item),
);
export const proxies = kind(
  'addresses or networks such as 10.0.0.0/8, separated by commas',
  listOf((item) => {
    const [ip = '', bits, ...rest] = item.split('/');
    const most = isIP(ip) === 6 ? 128 : 32;
    if (isIP(ip) === 0 || rest.length > 0) return false;
    return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= most);
  }),
);
export const size = kind('a size such as 50MB or 64MiB', withUnit(unitsOfBytes));
/** setTimeout takes no more than 2^31 - 1 ms and fires at once for anything longer. */
const longestTimerMs = 24 * 86400e3;
export const duration = (leastMs: number, mostMs = longestTimerMs) =>
  kind(`a duration from ${leastMs}ms to ${mostMs / 86400e3}d such as 500ms, 30s or 2h`, (text) => {
    const value = withUnit(unitsOfTime)(text);
    return value !== undefined && value >= leastMs && value <= mostMs ? value : undefined;
  });
export const oneOf = <const T extends string>(...values: T[]) =>
  kind(`one of ${values.join(', ')}`, (value) => values.find((one) => one === value));
