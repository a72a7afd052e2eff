import type { Broker } from '../broker/broker.ts';
import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Dispatch, outboxLeaseMs } from './dispatch.ts';
import { type Repeating, repeating } from './repeating.ts';

const batch = 500;

export interface RelayContext {
  readonly store: Store;
  readonly broker: Broker;
  readonly dispatch: Dispatch;
  readonly log: Logger;
  readonly intervalMs?: number;
}

/**
 * Publishes what is overdue in the outbox, oldest first: jobs whose submitter died or could not reach the broker, and
 * what the sweep put back. Stops at the first batch with a failure until the next turn.
 */
export const startRelay = ({ store, broker, dispatch, log, intervalMs = 1000 }: RelayContext): Repeating =>
  repeating('relay', intervalMs, log, async () => {
    // Whatever is claimed during an outage would only lose its place in the order.
    if (!broker.isConnected()) return false;
    const jobs = await store.claimOutbox(batch, outboxLeaseMs);
    const sent = await Promise.all(jobs.map(dispatch));
    if (jobs.length > 0) log.debug({ jobs: jobs.length }, 'relayed');
    return jobs.length === batch && sent.every(Boolean);
  });
