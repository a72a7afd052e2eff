import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadJson } from '../acceptance/target.ts';
import type { Picture } from './pictures.ts';

/** An upload that was answered with 202. Times are those of `Date.now()`. */
export interface Accepted {
  readonly id: string;
  /** What it must come out as. */
  readonly label: string;
  readonly begunAt: number;
  readonly acceptedAt: number;
  /** Requests before the one that was accepted. */
  readonly refused: number;
}

export interface Load {
  readonly accepted: ReadonlyMap<string, Accepted>;
  /** What must not have happened. */
  readonly problems: readonly string[];
  /** Notes an upload that somebody else made. */
  note(accepted: Accepted): void;
  /** Uploads one picture, again and again with the same key until it is accepted. */
  uploadOne(): Promise<Accepted>;
  /** From now on, as many uploads a second; 0 for none. */
  pace(perSecond: number): void;
  /** Resolves when every upload begun so far has been accepted. */
  settled(): Promise<void>;
}

/** A client gives up on a server that does not answer. */
const patienceMs = 5_000;
const pauseMs = 250;
/** Clients waiting at once; more would only measure this program. */
const mostUnderWay = 40;

export interface LoadOptions {
  /** Where uploads go; asked before every request, as an address may change. */
  readonly url: () => string;
  readonly pictures: readonly Picture[];
  /** Tells the keys of this load from others'. */
  readonly name: string;
  readonly signal: AbortSignal;
}

/** Clients that upload pictures, each with a key of its own, so that a request that was cut is repeated safely. */
export const createLoad = ({ url, pictures, name, signal }: LoadOptions): Load => {
  const accepted = new Map<string, Accepted>();
  const problems: string[] = [];
  const underWay = new Set<Promise<unknown>>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });

  /** The accepted image's ID; undefined if the server cannot take it now, or cannot be reached. */
  const request = async (picture: Picture, key: string): Promise<string | undefined> => {
    // Each picture stands for a client of its own: none finds a connection that another one left open.
    const headers = { 'idempotency-key': key, connection: 'close' };
    try {
      const body = new FormData();
      body.append('image', new File([picture.bytes], picture.name, { type: picture.contentType }));
      const stop = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
      const response = await fetch(`${url()}/upload`, { method: 'POST', body, headers, signal: stop });
      const text = await response.text();
      if (response.status === 202) return (JSON.parse(text) as UploadJson).correlationId;
      if (![502, 503, 504, 507].includes(response.status))
        problems.push(`an upload was answered with ${response.status}: ${text.slice(0, 300)}`);
    } catch {
      signal.throwIfAborted();
    }
    return undefined;
  };

  const note = (image: Accepted): void => {
    if (accepted.has(image.id)) problems.push(`two uploads were answered with the same image ${image.id}`);
    accepted.set(image.id, image);
  };
  /**
   * While uploads are refused, one client asks for all. Each refusal of a node port by the node itself leaves an entry
   * in its connection tracking that refuses the same client port for two minutes, whatever is behind the port by then.
   */
  let asking: Promise<void> | undefined;
  const askAgain = async (picture: Picture, key: string, delivery: { id?: string; refused: number }) => {
    while (delivery.id === undefined) {
      await sleep(pauseMs, undefined, { signal });
      const id = await request(picture, key);
      if (id === undefined) delivery.refused += 1;
      else delivery.id = id;
    }
    asking = undefined;
  };

  const deliver = async (): Promise<Accepted> => {
    const number = count++;
    const picture = pictures[number % pictures.length] as Picture;
    const key = `${name}-${number}`;
    const begunAt = Date.now();
    const delivery: { id?: string; refused: number } = { refused: 0 };
    while (delivery.id === undefined) {
      if (asking !== undefined) {
        await asking;
        continue;
      }
      const id = await request(picture, key);
      if (id !== undefined) delivery.id = id;
      else {
        delivery.refused += 1;
        asking ??= askAgain(picture, key, delivery);
      }
    }
    const { id, refused } = delivery;
    const image = { id, label: picture.label, begunAt, acceptedAt: Date.now(), refused };
    note(image);
    return image;
  };
  const uploadOne = (): Promise<Accepted> => {
    const delivery = deliver().finally(() => underWay.delete(delivery));
    underWay.add(delivery);
    return delivery;
  };
  return {
    accepted,
    problems,
    note,
    uploadOne,
    pace(perSecond) {
      clearInterval(timer);
      if (perSecond === 0) return;
      timer = setInterval(() => {
        // Whoever aborts is told by the step that it interrupts.
        if (underWay.size < mostUnderWay) uploadOne().catch(() => {});
      }, 1000 / perSecond);
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
};
