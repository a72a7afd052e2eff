import { readFile } from 'node:fs/promises';

/** Of Linux's proc(5): 100 ticks a second on every architecture that Node runs on. */
const msOfTick = 10;

/** The fields of /proc/PID/stat behind the name, which may hold anything; none if the process has ended. */
const statOf = async (pid: number): Promise<string[]> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
};

/** The processes that `pid` started, and that those started; without itself. */
export const descendantsOf = async (pid: number): Promise<number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
};

/** Processor time (ms, user and system) that these processes have used so far. */
export const processorMs = async (pids: readonly number[]): Promise<number> => {
  const stats = await Promise.all(pids.map(statOf));
  return stats.reduce((sum, fields) => sum + (Number(fields[11]) + Number(fields[12]) || 0) * msOfTick, 0);
};

/** Resident memory (MiB) of a process; NaN if it has ended. */
export const residentMiB = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
};

/** Whoever interrupts a benchmark gets rid of all that it has started, too. */
export const endAllOn = (signal: 'SIGINT' | 'SIGTERM', exitCode: number): void => {
  process.on(signal, async () => {
    for (const pid of await descendantsOf(process.pid)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    process.exit(exitCode);
  });
};
