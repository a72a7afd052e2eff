import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageJson } from '../acceptance/target.ts';
import type { Namespace } from './cluster.ts';
import type { Load } from './load.ts';

/** One namespace with a Gantry in it, and who uploads to it. */
export interface Session {
  readonly namespace: Namespace;
  readonly load: Load;
  /** The image, `name:tag`; undefined for the charts' own default. */
  readonly image: string | undefined;
  /** Whether to do less. */
  readonly quick: boolean;
  /** The web server through the node port, once it is known. */
  readonly url: () => string;
  /** Looks the node port up; to be called after every installation of the service. */
  readonly findUrl: () => Promise<void>;
  /** Notes what must be undone even if the step fails or is interrupted; the result does it now. */
  readonly undo: (what: string, action: (namespace: Namespace) => Promise<unknown>) => () => Promise<void>;
  /** Tells whoever watches how far it is. */
  readonly say: (text: string) => void;
}

export interface Step {
  readonly name: string;
  /** Left out of the quick form. */
  readonly thorough?: true;
  /** Uploads go on meanwhile, this many a second. */
  readonly stream?: number;
  /** Not even one upload may be refused. */
  readonly seamless?: true;
  /** Images may need another attempt. */
  readonly mayCostAttempts?: true;
  /** Why it cannot be done here. */
  hindrance?(session: Session): Promise<string | undefined>;
  run(session: Session): Promise<void>;
}

/** Steps that follow one another in one namespace; the books are balanced behind them. */
export interface Scenario {
  readonly name: string;
  /** Installs Gantry, whichever steps were chosen. None: nothing is uploaded, and there are no books. */
  readonly setup?: Step;
  readonly steps: readonly Step[];
  /** Others than we upload too, so there are images that the ledger does not know. */
  readonly strangers?: true;
}

const pollMs = 500;
const mostTries = 20;
/** A queue that filled up meanwhile has to be worked off. */
const endsWithinMs = 300_000;

/** The image as the API has it now; undefined if there is no answer. */
export const imageAt = async (url: string, id: string): Promise<ImageJson | undefined> => {
  try {
    const response = await fetch(`${url}/images/${id}`, { signal: AbortSignal.timeout(10_000) });
    if (response.status === 200) return (await response.json()) as ImageJson;
    await response.body?.cancel();
  } catch {}
  return undefined;
};

/** Tries again what failed for want of a connection: a node port refuses a few for minutes after an interruption. */
export const insist = async <T>(attempt: () => Promise<T>): Promise<T> => {
  for (let left = mostTries; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 1 || !(error instanceof TypeError)) throw error;
      await sleep(pollMs);
    }
  }
};

/** Polls, as servers may come and go meanwhile, until the image has ended. Throws if that takes too long. */
export const imageEnded = async (session: Session, id: string): Promise<ImageJson> => {
  const late = performance.now() + endsWithinMs;
  for (;;) {
    const image = await imageAt(session.url(), id);
    if (image !== undefined && !['queued', 'processing'].includes(image.state)) return image;
    if (performance.now() > late)
      throw new Error(`image ${id} is ${image?.state ?? 'not there'} after ${endsWithinMs / 1000} s`);
    await sleep(pollMs);
  }
};

/** Resolves once an image that is uploaded now has come through. */
export const recovered = async (session: Session): Promise<void> => {
  const { id, label } = await session.load.uploadOne();
  const { state, result } = await imageEnded(session, id);
  if (state !== 'succeeded' || result?.label !== label)
    throw new Error(`image ${id} ended ${state} as ${result?.label}, not succeeded as ${label}`);
};
