import { setTimeout as pause } from 'node:timers/promises';

/** The answer, or a rejection once `limitMs` have passed without one. */
export const within = async <T>(answer: Promise<T>, limitMs: number): Promise<T> => {
  const answered = new AbortController();
  const late = pause(limitMs, undefined, { signal: answered.signal, ref: false }).then(() => {
    throw new Error(`no answer within ${limitMs} ms`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([answer, late]);
  } finally {
    answered.abort();
  }
};
