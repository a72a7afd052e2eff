import type { Subscription } from '../broker/broker.ts';
import { createProcess, type ProcessContext } from '../pipeline/process.ts';

/** Takes jobs from the queue `images`, at most `prefetch` at once: what the workers hold plus the next batch. */
export const startConsumer = (context: ProcessContext, prefetch: number): Promise<Subscription> =>
  context.broker.consume('images', { prefetch }, createProcess(context));
