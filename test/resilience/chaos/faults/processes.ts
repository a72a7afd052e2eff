import { setTimeout as sleep } from 'node:timers/promises';
import type { GantryProcess } from '../gantry-process.ts';
import { heartbeat } from '../system.ts';
import { type FaultContext, type FaultKind, oneOf } from './fault.ts';

/** A supervisor starts a process again at once, as systemd or Kubernetes would: that is part of the recovery. */
const killOne = async (
  processes: readonly GantryProcess[],
  { random, problem }: FaultContext,
): Promise<undefined> => {
  // Somewhere within whatever it is doing.
  await sleep(random() * 200);
  const victim = oneOf(processes, random);
  await victim.kill();
  void victim.start().catch((error: Error) => problem(error.message));
};

/** One after the other, each ready before the next one goes. */
const restartAll = async (
  processes: readonly GantryProcess[],
  { problem }: FaultContext,
): Promise<undefined> => {
  for (const process of processes) {
    const code = await process.terminate();
    if (code !== 0) problem(`${process.name} ended with exit code ${code} after SIGTERM`);
    await process.start();
  }
};

const processesOf = (nodes: readonly { process: GantryProcess }[]): GantryProcess[] =>
  nodes.map(({ process }) => process);

/** Until the broker has taken the consumer for dead and the store its images for overdue. */
const pauseMs = 3 * heartbeat * 1000;

export const processFaults: readonly FaultKind[] = [
  {
    name: 'web server killed (SIGKILL)',
    unseenByClients: false,
    mayCostAttempts: false,
    inject: (context) => killOne(processesOf(context.system.webs), context),
  },
  {
    name: 'consumer killed (SIGKILL)',
    unseenByClients: true,
    mayCostAttempts: true,
    inject: (context) => killOne(processesOf(context.system.consumers), context),
  },
  {
    name: 'worker process killed (SIGKILL)',
    unseenByClients: true,
    mayCostAttempts: true,
    async inject({ system, random }) {
      await sleep(random() * 200);
      const workers = await oneOf(system.consumers, random).process.workers();
      for (const pid of workers) process.kill(pid, 'SIGKILL');
      return undefined;
    },
  },
  {
    name: 'web servers restarted in turn (SIGTERM)',
    unseenByClients: false,
    mayCostAttempts: false,
    inject: (context) => restartAll(processesOf(context.system.webs), context),
  },
  {
    name: 'consumers restarted in turn (SIGTERM)',
    unseenByClients: true,
    mayCostAttempts: false,
    inject: (context) => restartAll(processesOf(context.system.consumers), context),
  },
  {
    name: 'consumer paused beyond its heartbeat (SIGSTOP)',
    unseenByClients: true,
    mayCostAttempts: true,
    async inject({ system, random }) {
      const { process } = oneOf(system.consumers, random);
      await process.signal('SIGSTOP', true);
      await sleep(pauseMs);
      await process.signal('SIGCONT', true);
      return undefined;
    },
  },
  {
    name: "a web server's clock jumps by an hour",
    unseenByClients: true,
    mayCostAttempts: false,
    async inject({ system, occurrence, random }) {
      const web = oneOf(system.webs, random);
      await web.jump(occurrence % 2 === 0 ? 3_600_000 : -3_600_000);
      await sleep(3000);
      await web.jump(0);
      return undefined;
    },
  },
];
