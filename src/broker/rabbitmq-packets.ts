import type { Writable } from 'node:stream';

/**
 * Makes what is written to a stream in one go leave in one go. amqplib writes every frame by itself, which is a system
 * call and, as small packets are not held back, a packet each, and the broker's reader wakes up for each.
 */
export const sendTogether = (stream: Writable): void => {
  const write = stream.write;
  let corked = false;
  const release = (): void => {
    corked = false;
    stream.uncork();
  };
  const together = (...args: Parameters<Writable['write']>): boolean => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(release);
    }
    return Reflect.apply(write, stream, args);
  };
  stream.write = together as Writable['write'];
};
