/**
 * Preloaded into the web servers (`node --import`): on SIGUSR2 the process's clock jumps to what the file named by
 * CHAOS_CLOCK says, in milliseconds away from the real time. Timers and `performance.now()` go on as they do when an
 * operating system's clock is set.
 */
import { readFileSync } from 'node:fs';

const file = process.env.CHAOS_CLOCK;
if (file !== undefined) {
  let offsetMs = 0;
  const RealDate = Date;
  const now = (): number => RealDate.now() + offsetMs;
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  });
  process.on('SIGUSR2', () => {
    offsetMs = Number(readFileSync(file, 'utf8'));
  });
}
