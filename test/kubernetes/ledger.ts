import { setTimeout as sleep } from 'node:timers/promises';
import { events, type ImageJson } from '../acceptance/target.ts';
import type { Namespace } from './cluster.ts';
import type { Accepted } from './load.ts';
import { openManagement } from './management.ts';
import { insist, recovered, type Session } from './session.ts';

/** An image as it is stored, reduced to what is compared. */
export interface Stored {
  readonly state: string;
  readonly label: string | undefined;
  readonly attempts: number;
}

/** What became of everything that was accepted. */
export interface Ledger {
  readonly accepted: number;
  /** Not there, or not ended. */
  readonly lost: number;
  /** Ends beyond the first: what a client would have heard twice. */
  readonly duplicates: number;
  readonly stored: ReadonlyMap<string, Stored>;
  readonly problems: readonly string[];
}

const shown = 5;
const page = 200;
const pollMs = 500;
const quietLimitMs = 300_000;
const eventsLimitMs = 120_000;
const emptyLimitMs = 60_000;

const named = (what: string, found: readonly string[]): string[] =>
  found.length === 0 ? [] : [`${what}: ${found.length} (${found.slice(0, shown).join(', ')})`];

/** Compares what clients were told with what is stored, and with how often each image was said to have ended. */
export const compare = (
  accepted: ReadonlyMap<string, Accepted>,
  stored: ReadonlyMap<string, Stored>,
  endings: ReadonlyMap<string, number>,
  strangers: boolean,
): Ledger => {
  const [missing, unfinished, unsuccessful, mislabelled, repeated]: string[][] = [[], [], [], [], []];
  let duplicates = 0;
  for (const { id, label } of accepted.values()) {
    const image = stored.get(id);
    const ended = endings.get(id) ?? 0;
    if (image === undefined) missing?.push(id);
    else if (image.state === 'queued' || image.state === 'processing' || ended === 0)
      unfinished?.push(`${id} ${image.state}`);
    else if (image.state !== 'succeeded') unsuccessful?.push(`${id} ${image.state}`);
    else if (image.label !== label) mislabelled?.push(`${id} ${image.label} not ${label}`);
    if (ended > 1) repeated?.push(`${id} ${ended} times`);
    duplicates += Math.max(0, ended - 1);
  }
  const unknown = strangers ? [] : [...stored.keys()].filter((id) => !accepted.has(id));
  return {
    accepted: accepted.size,
    lost: (missing?.length ?? 0) + (unfinished?.length ?? 0),
    duplicates,
    stored,
    problems: [
      ...named('accepted images that do not exist', missing ?? []),
      ...named('accepted images that never ended', unfinished ?? []),
      ...named('good pictures that did not succeed', unsuccessful ?? []),
      ...named('wrong labels', mislabelled ?? []),
      ...named('images that ended more than once', repeated ?? []),
      ...named('images stored that no client was told of', unknown),
    ],
  };
};

interface Page {
  readonly images: readonly ImageJson[];
  readonly next: string | null;
}

const list = async (url: string, query: Record<string, string>): Promise<Page> => {
  const response = await insist(() =>
    fetch(`${url}/images?${new URLSearchParams(query)}`, { signal: AbortSignal.timeout(30_000) }),
  );
  if (!response.ok) throw new Error(`GET /images was answered with ${response.status}`);
  return (await response.json()) as Page;
};

/** Every image that is stored. */
const everyImage = async (url: string): Promise<Map<string, Stored>> => {
  const stored = new Map<string, Stored>();
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = { limit: String(page), ...(cursor === '' ? {} : { cursor }) };
    const found: Page = await list(url, query);
    for (const { id, state, result, attempts } of found.images)
      stored.set(id, { state, label: result?.label, attempts });
    cursor = found.next;
  }
  return stored;
};

/** Resolves when no image is under way any more. */
const quiet = async (url: string): Promise<void> => {
  const late = performance.now() + quietLimitMs;
  for (const state of ['queued', 'processing']) {
    while ((await list(url, { state, limit: '1' })).images.length > 0) {
      if (performance.now() > late) return;
      await sleep(pollMs);
    }
  }
};

/** How often each image ended, told from the first event there was to the end of `lastId`. */
const countEndings = async (url: string, lastId: string): Promise<Map<string, number>> => {
  const endings = new Map<string, number>();
  const late = performance.now() + eventsLimitMs;
  for await (const { event, data } of events(`${url}/events`, { 'last-event-id': '0' })) {
    if (!['succeeded', 'failed', 'dead'].includes(event)) continue;
    const { id } = JSON.parse(data) as { id: string };
    endings.set(id, (endings.get(id) ?? 0) + 1);
    if (id === lastId || performance.now() > late) break;
  }
  return endings;
};

/** Queues that hold messages, once the last hints were read. */
const fullQueues = async (namespace: Namespace): Promise<string[]> => {
  await using management = await openManagement(namespace);
  const late = performance.now() + emptyLimitMs;
  for (;;) {
    const full = [...(await management.queues())].filter(([, messages]) => messages > 0);
    if (full.length === 0 || performance.now() > late)
      return full.map(([name, messages]) => `${name} (${messages})`);
    await sleep(pollMs);
  }
};

/** Waits for quiet, then balances the books, which `gantry audit` in a web server's pod has to find right as well. */
export const balance = async (session: Session, strangers: boolean): Promise<Ledger> => {
  const { namespace, load, url } = session;
  load.pace(0);
  await load.settled();
  await quiet(url());
  const before = new Set(load.accepted.keys());
  await recovered(session);
  const last = [...load.accepted.keys()].find((id) => !before.has(id)) ?? '';
  const endings = await insist(() => countEndings(url(), last));
  const ledger = compare(load.accepted, await everyImage(url()), endings, strangers);
  const full = named('queues that are not empty', await fullQueues(namespace));
  const audit = await namespace.tryKubectl(
    ...['exec', 'deployment/web-server', '--', 'gantry', 'audit', '--json'],
  );
  const wrong =
    audit.code === 0 ? [] : [`gantry audit ended with exit code ${audit.code}: ${audit.out}${audit.err}`];
  return { ...ledger, problems: [...ledger.problems, ...load.problems, ...full, ...wrong] };
};
