import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../seeded.ts';
import { connectionFaults } from './faults/connections.ts';
import { processFaults } from './faults/processes.ts';
import { serviceFaults } from './faults/services.ts';
import { balance, type Ledger } from './ledger.ts';
import { createLoad, type Load } from './load.ts';
import { recovery } from './recovery.ts';
import { countRedeliveries } from './redeliveries.ts';
import { asFailure, type Happened, type Result } from './report.ts';
import { type Planned, plan } from './schedule.ts';
import { type System, startSystem, urlsOf } from './system.ts';

export interface Options {
  /** At least so many are uploaded. */
  readonly images: number;
  readonly faults: number;
  readonly seed: number;
  /** Uploads a second while the faults go on. */
  readonly rate: number;
  /** Only kinds whose name matches. */
  readonly only?: RegExp;
  /** How the run was started, for the report. */
  readonly command: string;
  readonly progress: (text: string) => void;
  /** Ends the run before the next fault, and with it everything that was started. */
  readonly stop?: AbortSignal;
}

export interface Run {
  readonly result: Result;
  /** Undefined if all went well; else what to print. */
  readonly failure: string | undefined;
  /** Lines of level warn and above, by message. */
  readonly complaints: ReadonlyMap<string, number>;
}

export const everyKind = [...processFaults, ...connectionFaults, ...serviceFaults];

const recoveryLimitMs = 120_000;
/** Uploads a second once the faults are over, if images are still missing. */
const fullPace = 40;
/** An image that was accepted so shortly (ms) before a fault counts as one that it met. */
const metByMs = 1000;
/** A longer way (ms) is told by a clock that had jumped. */
const implausibleMs = 900_000;

const runFault = async (
  fault: Planned,
  system: System,
  load: Load,
  random: () => number,
  problem: (text: string) => void,
): Promise<Happened> => {
  const { kind, occurrence, calmMs } = fault;
  const about = (text: string): void => problem(`${kind.name}: ${text}`);
  await sleep(calmMs);
  const [beganAt, before] = [Date.now(), load.refusals.length];
  const release = await kind.inject({ system, load, occurrence, random, problem: about });
  const lastedMs = Date.now() - beganAt;
  const recoveryMs = await recovery(system, load, recoveryLimitMs);
  release?.();
  const refused = load.refusals.slice(before);
  if (recoveryMs === undefined) about(`not recovered within ${recoveryLimitMs / 1000} s`);
  if (kind.unseenByClients && refused.length > 0)
    about(
      `${refused.length} uploads were refused (status ${[...new Set(refused.map(({ status }) => status))]})`,
    );
  return { fault, beganAt, lastedMs, recoveryMs, refusals: refused.length };
};

/** Ascribes what befell each image to the last fault that had begun, or was just about to, when it was accepted. */
const ascribe = (happened: readonly Happened[], load: Load, { stored }: Ledger): Result['happened'] => {
  const all = happened.map((one) => ({ ...one, attemptsWasted: 0, slowestMs: 0 }));
  for (const { id, at } of load.accepted.values()) {
    const image = stored.images.get(id);
    const fault = all.findLast(({ beganAt }) => beganAt <= at + metByMs);
    if (image === undefined || fault === undefined) continue;
    fault.attemptsWasted += Math.max(0, image.attempts - 1);
    const tookMs = image.endedAt - at;
    if (tookMs < implausibleMs) fault.slowestMs = Math.max(fault.slowestMs, tookMs);
  }
  return all;
};

/** Starts a system, uploads at a steady rate while one fault after the other happens, waits for quiet and balances. */
export const runChaos = async (options: Options): Promise<Run> => {
  const { seed, rate, progress, command } = options;
  const problems: string[] = [];
  const problem = (text: string): void => {
    problems.push(text);
    progress(`PROBLEM ${text}`);
  };
  progress('starting RabbitMQ, PostgreSQL, two web servers and two consumers');
  const system = await startSystem(problem);
  const startedAt = Date.now();
  const redeliveries = countRedeliveries(system.rabbit);
  try {
    const kinds = everyKind.filter(
      ({ name }) => (options.only?.test(name) ?? true) && (system.smallDisk || !name.startsWith('disk')),
    );
    if (!system.smallDisk) progress('no right to mount a small disk: the fault of a full one is left out');
    const random = seeded(seed);
    const load = await createLoad(() => urlsOf(system.webs), seed, problem);
    load.pace(rate);
    const happened: Happened[] = [];
    const planned = plan(kinds, options.faults, random);
    for (const fault of planned) {
      options.stop?.throwIfAborted();
      progress(
        `${Math.round((Date.now() - startedAt) / 1000)} s, ${load.accepted.size} images, fault ${happened.length + 1} of ${planned.length}: ${fault.kind.name}`,
      );
      happened.push(await runFault(fault, system, load, random, problem));
    }
    const acceptedMeanwhile = load.accepted.size;
    load.pace(fullPace);
    while (load.accepted.size < options.images) await sleep(100);
    await load.stop();
    progress(`${load.accepted.size} images accepted; waiting for quiet, then balancing`);
    const ledger = await balance(system, load, problem);
    const ascribed = ascribe(happened, load, ledger);
    for (const { fault, attemptsWasted } of ascribed)
      if (!fault.kind.mayCostAttempts && attemptsWasted > 0)
        problem(`${fault.kind.name}: ${attemptsWasted} attempts were lost`);
    const { stored: _, ...totals } = ledger;
    const result: Result = {
      ...{ seed, command, problems, ...totals, acceptedMeanwhile, happened: ascribed },
      machine: `${availableParallelism()} cores, ${process.arch}`,
      seconds: (Date.now() - startedAt) / 1000,
      redeliveries: redeliveries.total(),
      repeatedOutcomes: system.repeatedOutcomes(),
      refusals: load.refusals.length,
    };
    const failed = problems.length > 0;
    const failure = failed ? `${asFailure(result, startedAt)}Logs: ${system.logDir}\n` : undefined;
    return { result, failure, complaints: system.complaints };
  } finally {
    redeliveries.stop();
    await system.dispose(problems.length > 0);
  }
};
