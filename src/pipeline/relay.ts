import type { Logger } from '../observability/log.ts';
import type { Store } from '../store/store.ts';
import { type Dispatch, outboxLeaseMs } from './dispatch.ts';
import { type Repeating, repeating } from './repeating.ts';

const batch = 500;

/**
 * Publishes what is overdue in the outbox: jobs whose submitter died or could not reach the broker, and what the
 * sweep put back. Stops at the first batch with a failure until the next turn.
 */
export const startRelay = (store: Store, dispatch: Dispatch, log: Logger, intervalMs = 1000): Repeating =>
  repeating('relay', intervalMs, log, async () => {
    const jobs = await store.claimOutbox(batch, outboxLeaseMs);
    const sent = await Promise.all(jobs.map(dispatch));
    if (jobs.length > 0) log.debug({ jobs: jobs.length }, 'relayed');
    return jobs.length === batch && sent.every(Boolean);
  });
