/**
 * What `read` answers, asked anew at most every `freshMs` and never twice at once: who asks meanwhile shares the answer,
 * also while the store stalls. A failure is not kept.
 */
export const cached = <T>(read: () => Promise<T>, freshMs: number): (() => Promise<T>) => {
  let at = Number.NEGATIVE_INFINITY;
  let value: Promise<T> | undefined;
  let pending = false;
  return () => {
    if (value === undefined || (!pending && performance.now() - at > freshMs)) {
      at = performance.now();
      pending = true;
      value = read();
      value.then(
        () => {
          pending = false;
        },
        () => {
          pending = false;
          value = undefined;
        },
      );
    }
    return value;
  };
};
