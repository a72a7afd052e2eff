/** What `read` answers, asked anew at most every `freshMs`; who asks meanwhile shares the answer. A failure is not kept. */
export const cached = <T>(read: () => Promise<T>, freshMs: number): (() => Promise<T>) => {
  let at = Number.NEGATIVE_INFINITY;
  let value: Promise<T> | undefined;
  return () => {
    if (value === undefined || performance.now() - at > freshMs) {
      at = performance.now();
      value = read();
      value.catch(() => {
        value = undefined;
      });
    }
    return value;
  };
};
