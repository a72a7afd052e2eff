import type { RabbitMq } from '../../services/rabbitmq.ts';

interface Overview {
  readonly message_stats?: { readonly redeliver?: number };
}

const everyMs = 1000;

/**
 * Counts what the broker delivers again. It forgets its own count when it ends, so what happened within the last second
 * before that is missing.
 */
export const countRedeliveries = (rabbit: RabbitMq): { total(): number; stop(): void } => {
  let [total, last] = [0, 0];
  const look = async (): Promise<void> => {
    const overview = (await rabbit.api('GET', 'overview').catch(() => undefined)) as Overview | undefined;
    const now = overview?.message_stats?.redeliver;
    if (now === undefined) return;
    total += now < last ? now : now - last;
    last = now;
  };
  const timer = setInterval(look, everyMs);
  return { total: () => total, stop: () => clearInterval(timer) };
};
