import { availableParallelism } from 'node:os';
import { type EventSourceMessage, EventSourceParserStream } from 'eventsource-parser/stream';
import { type Body, connect } from './load.ts';
import type { Services } from './services.ts';

/** Something that pictures can be uploaded to, running. */
export interface System {
  /** Where a form with the field `image` is posted to. */
  readonly url: string;
  /** Resolves with the picture's label, given the answer to its upload. Not for a system that only accepts. */
  label(answer: string): Promise<string>;
  /** Of one that uses the processor even when it has nothing to do, while others are measured. */
  readonly rest?: { pause(): void; resume(): void };
  stop(): Promise<void>;
}

/** Pictures under way at saturation: a batch at work and one waiting for each worker. */
export const saturating = 16 * availableParallelism();

/** Sends one of the pictures in a request of its own; resolves with its label. */
export type Classify = (n: number) => Promise<string>;

/** Takes the pictures in turns, over at most so many connections. */
export const classifier = (
  { url, label }: System,
  bodies: readonly Body[],
  connections: number,
): Classify => {
  const client = connect(url, connections);
  return async (n) => label(await client.post(bodies[n % bodies.length] as Body));
};

/** How to start one. Rejects, saying why in one line, where it cannot run. */
export interface Contender {
  readonly name: string;
  start(services: Services): Promise<System>;
}

/** A picture that has ended, and as what; an error if it has no label. */
export interface Ended {
  readonly id: string;
  readonly label: string | Error;
}

/** Waits for results on one stream of events, which costs the server less than to be asked for each. */
export const followResults = async (
  url: string,
  read: (event: EventSourceMessage) => Ended | undefined,
): Promise<{ of(id: string): Promise<string>; stop(): Promise<void> }> => {
  const stop = new AbortController();
  const response = await fetch(url, { signal: stop.signal, headers: { accept: 'text/event-stream' } });
  if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`);
  const stream = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const waiting = new Map<string, (label: string | Error) => void>();
  const early = new Map<string, string | Error>();
  const see = (event: EventSourceMessage): void => {
    const ended = read(event);
    if (ended === undefined) return;
    const tell = waiting.get(ended.id);
    if (tell === undefined) early.set(ended.id, ended.label);
    else tell(ended.label);
    waiting.delete(ended.id);
  };
  const follow = async (): Promise<void> => {
    for await (const event of stream) see(event);
    throw new Error(`${url} ended`);
  };
  const failed = follow().catch((error: Error) => {
    for (const tell of waiting.values()) tell(error);
    return error;
  });
  return {
    async of(id) {
      const label = early.get(id) ?? (await new Promise((resolve) => waiting.set(id, resolve)));
      early.delete(id);
      if (label instanceof Error) throw label;
      return label as string;
    },
    async stop() {
      stop.abort();
      await failed;
    },
  };
};
