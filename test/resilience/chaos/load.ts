import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import type { UploadJson } from '../../acceptance/target.ts';

/** What an accepted image must come out as. */
export interface Accepted {
  readonly id: string;
  readonly label: string;
  /** `Date.now()` of the 202. */
  readonly at: number;
}
/** One request that was not answered with 202. */
export interface Refusal {
  readonly at: number;
  /** The HTTP status, or 0 if no answer came. */
  readonly status: number;
}

export interface Load {
  readonly accepted: ReadonlyMap<string, Accepted>;
  readonly refusals: readonly Refusal[];
  /** Uploads one picture, again and again with the same key until it is accepted. */
  uploadOne(): Promise<Accepted>;
  /** From now on, as many uploads a second. */
  pace(perSecond: number): void;
  /** No new uploads; resolves when every one under way has been accepted. */
  stop(): Promise<void>;
}

/** The colours model names a picture by its mean colour: test/fixtures/models/README.md */
const labels = { dog: [255, 0, 0], cat: [0, 255, 0], other: [0, 0, 255] } as const;
const shades = 8;
/** A client gives up on a server that does not answer. */
const patienceMs = 10_000;
const pauseMs = 200;
/** Clients waiting at once; more would only measure the harness. */
const mostUnderWay = 100;

interface Picture {
  readonly label: string;
  readonly file: File;
}

const makePictures = async (): Promise<Picture[]> => {
  const pictures: Picture[] = [];
  for (let shade = 0; shade < shades; shade++) {
    for (const [label, [r, g, b]] of Object.entries(labels)) {
      const dim = (value: number): number => Math.round(value * (1 - shade / 20));
      const background = { r: dim(r), g: dim(g), b: dim(b) };
      const create = { width: 16, height: 16, channels: 3 as const, background };
      const bytes = await sharp({ create }).png().toBuffer();
      pictures.push({ label, file: new File([new Uint8Array(bytes)], `${label}-${shade}.png`) });
    }
  }
  return pictures;
};

/** Clients that upload to whichever of `urls` answers. `seed` tells this run's keys from others'. */
export const createLoad = async (
  urls: () => readonly string[],
  seed: number,
  problem: (text: string) => void,
): Promise<Load> => {
  const pictures = await makePictures();
  const accepted = new Map<string, Accepted>();
  const refusals: Refusal[] = [];
  const underWay = new Set<Promise<Accepted>>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;

  /** The answer to one request: the image's ID, or the status of a refusal. */
  const request = async (url: string, file: File, key: string): Promise<string | number> => {
    const body = new FormData();
    body.append('image', file);
    try {
      const response = await fetch(`${url}/upload`, {
        ...{ method: 'POST', body, headers: { 'idempotency-key': key } },
        signal: AbortSignal.timeout(patienceMs),
      });
      const text = await response.text();
      if (response.status === 202) return (JSON.parse(text) as UploadJson).correlationId;
      if (response.status !== 503 && response.status !== 507)
        problem(`an upload was answered with ${response.status}: ${text.slice(0, 300)}`);
      return response.status;
    } catch {
      return 0;
    }
  };

  const deliver = async (): Promise<Accepted> => {
    const number = count++;
    const { label, file } = pictures[number % pictures.length] as Picture;
    for (let attempt = 0; ; attempt++) {
      const servers = urls();
      const url = servers[(number + attempt) % servers.length] as string;
      const answer = await request(url, file, `chaos-${seed}-${number}`);
      const at = Date.now();
      if (typeof answer === 'string') {
        if (accepted.has(answer)) problem(`two uploads were answered with the same image ${answer}`);
        const image = { id: answer, label, at };
        accepted.set(answer, image);
        return image;
      }
      refusals.push({ at, status: answer });
      await sleep(pauseMs);
    }
  };
  const uploadOne = (): Promise<Accepted> => {
    const delivery = deliver().finally(() => underWay.delete(delivery));
    underWay.add(delivery);
    return delivery;
  };
  return {
    accepted,
    refusals,
    uploadOne,
    pace(perSecond) {
      clearInterval(timer);
      timer = setInterval(() => {
        if (underWay.size < mostUnderWay) void uploadOne();
      }, 1000 / perSecond);
    },
    async stop() {
      clearInterval(timer);
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
};
