import { styleText } from 'node:util';
import { type Config, type Flags, loadConfig } from '../config.ts';
import { ConfigError } from '../setting-kinds.ts';
import {
  dataFolder,
  disk,
  type Finding,
  fail,
  images,
  keys,
  model,
  node,
  ok,
  reasonOf,
  store,
  type Verdict,
  workers,
} from './doctor-checks.ts';
import { broker, server } from './doctor-peers.ts';
import { print, printJson } from './print.ts';
import { plain } from './texts.ts';

type Check = (config: Config) => Verdict | Promise<Verdict>;

const checks: Readonly<Record<string, Check>> = {
  node,
  'data folder': dataFolder,
  images,
  disk,
  store,
  broker,
  model,
  workers,
  'API keys': keys,
  server,
};
/** Of those, what needs no settings. */
const always = ['node', 'server'];

const configured = (flags: Flags): { config?: Config; verdict: Verdict } => {
  try {
    return { config: loadConfig(process.env, flags), verdict: ok('every setting can be used') };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { verdict: fail(error.message, 'mend it; gantry config shows where each comes from') };
  }
};

const colours = { ok: 'green', warn: 'yellow', fail: 'red' } as const;
const longest = Math.max(...Object.keys(checks).map((name) => name.length));

const tell = ({ check, status, message, mend }: Finding): void => {
  const lines = [
    `${styleText(colours[status], status.padEnd(4))}  ${check.padEnd(longest)}  ${plain(message)}`,
  ];
  if (mend !== null) lines.push(`${' '.repeat(longest + 8)}→ ${plain(mend)}`);
  print(`${lines.join('\n')}\n`);
};

/** `gantry doctor`: looks at everything, changes nothing. Exit code 1 if something fails. */
export const doctor = async (flags: Flags, { json }: { json: boolean }): Promise<void> => {
  const { config, verdict } = configured(flags);
  // All begin at once, and are told in order.
  const begun: (readonly [string, Promise<Verdict>])[] = Object.entries(checks)
    .filter(([name]) => config !== undefined || always.includes(name))
    .map(([name, check]) => {
      const found = Promise.try(check, config as Config);
      return [name, found.catch((error) => fail(reasonOf(error), 'this check itself failed'))];
    });
  const count = { ok: 0, warn: 0, fail: 0 };
  for (const [check, found] of [['settings', Promise.resolve(verdict)] as const, ...begun]) {
    const finding = { check, ...(await found) };
    count[finding.status] += 1;
    if (json) printJson(finding);
    else tell(finding);
  }
  if (!json) {
    const bad = [
      count.fail > 0 ? `${count.fail} failed` : '',
      count.warn > 0 ? `${count.warn} to look at` : '',
    ];
    print(`\n${bad.filter((part) => part !== '').join(', ') || 'All is well.'}\n`);
  }
  if (count.fail > 0) process.exitCode = 1;
};
