import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageJson } from '../../acceptance/target.ts';
import type { Load } from './load.ts';
import { type System, urlsOf } from './system.ts';

/** How often an image is uploaded to see whether it comes through. */
const probeEveryMs = 500;
const pollMs = 25;

const answerOf = async (url: string): Promise<Response | undefined> => {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(5000) });
  } catch {
    return undefined;
  }
};

/** The image, from whichever server tells. */
export const imageOf = async (urls: readonly string[], id: string): Promise<ImageJson | undefined> => {
  for (const url of urls) {
    const response = await answerOf(`${url}/images/${id}`);
    if (response?.status === 200) return (await response.json()) as ImageJson;
    await response?.body?.cancel();
  }
  return undefined;
};

const isReady = async (url: string): Promise<boolean> => {
  const response = await answerOf(`${url}/readyz`);
  await response?.body?.cancel();
  return response?.status === 200;
};

/**
 * Resolves with the milliseconds until an image that was uploaded after this call has succeeded and every process says
 * that it is ready; undefined if that takes longer than `limitMs`.
 */
export const recovery = async (
  { webs, consumers }: System,
  load: Load,
  limitMs: number,
): Promise<number | undefined> => {
  const urls = urlsOf(webs);
  const everyone = [...urls, ...urlsOf(consumers)];
  const began = performance.now();
  const late = AbortSignal.timeout(limitMs);
  const over = new AbortController();
  const stop = AbortSignal.any([late, over.signal]);

  const probe = async (): Promise<void> => {
    const { id } = await load.uploadOne();
    while (!stop.aborted && (await imageOf(urls, id))?.state !== 'succeeded') await sleep(pollMs);
    over.abort();
  };
  const probes = async (): Promise<void> => {
    while (!stop.aborted) {
      void probe();
      await sleep(probeEveryMs, undefined, { signal: stop }).catch(() => {});
    }
  };
  const ready = async (): Promise<void> => {
    while (!late.aborted && !(await Promise.all(everyone.map(isReady))).every(Boolean)) await sleep(pollMs);
  };
  await Promise.all([probes(), ready()]);
  return late.aborted ? undefined : performance.now() - began;
};
