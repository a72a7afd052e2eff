import type { FastifyRequest } from 'fastify';

/** The body of a request that is still coming in. */
export interface PartBody {
  /** Its bytes; ends early after `stop`, and throws if the connection breaks off. */
  readonly source: AsyncIterable<Uint8Array>;
  /** Nothing more is taken; what the source has handed out so far is all there is. */
  stop(): void;
  /** Reads and throws away the rest: a client that is still sending reads no answer. */
  drain(): void;
}

/** For a request with a content type whose parser hands on the stream. */
export const partBodyOf = ({ body }: FastifyRequest): PartBody => {
  const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const { promise: stopped, resolve: stop } = Promise.withResolvers<undefined>();
  async function* source(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const coming = iterator.next();
      // After a stop nobody waits for it any more.
      coming.catch(() => {});
      const next = await Promise.race([coming, stopped]);
      if (next === undefined || next.done) return;
      yield next.value;
    }
  }
  return {
    source: source(),
    stop: () => stop(undefined),
    drain: () => {
      const rest = async (): Promise<void> => {
        while (!(await iterator.next()).done);
      };
      rest().catch(() => {});
    },
  };
};
