import { useEffect, useState } from 'react';
import { ApiFault, fetchImage, type Image } from './api.ts';
import { describeFault } from './listing-source.ts';
import type { Connection, Live } from './live.ts';
import { supersedes } from './reduce-listing.ts';

export type Detail =
  | { kind: 'none' }
  | { kind: 'loading'; id: string }
  | { kind: 'missing'; id: string }
  | { kind: 'failed'; id: string; reason: string }
  | { kind: 'shown'; id: string; image: Image };

const learn = (before: Detail, image: Image): Detail => {
  if (before.kind === 'none' || before.id !== image.id || before.kind === 'missing') return before;
  if (before.kind === 'shown' && !supersedes(image, before.image)) return before;
  return { kind: 'shown', id: image.id, image };
};

const pollMs = 4_000;

/**
 * The image whose details are open: at once if it is `known` from the list, always asked for anew, and kept up to date;
 * by events or, without them, by asking again.
 */
export const useDetail = (live: Live, connection: Connection, id: string | null, known: Image | null) => {
  const [detail, setDetail] = useState<Detail>({ kind: 'none' });
  const [round, setRound] = useState(0);

  useEffect(() => {
    if (!id || connection === 'live') return;
    const timer = window.setInterval(() => setRound((before) => before + 1), pollMs);
    return () => window.clearInterval(timer);
  }, [id, connection]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again whenever the connection comes or goes, since events were missed
  useEffect(() => {
    if (!id) {
      setDetail({ kind: 'none' });
      return;
    }
    const abort = new AbortController();
    setDetail((before) => (before.kind !== 'none' && before.id === id ? before : { kind: 'loading', id }));
    fetchImage(id, abort.signal).then(
      (image) => setDetail((before) => learn(before, image)),
      (fault: unknown) => {
        if (abort.signal.aborted) return;
        // The address may name anything: what is no ID at all is as missing as an ID that is not there.
        const missing = fault instanceof ApiFault && (fault.status === 404 || fault.status === 400);
        setDetail((before) => {
          if (missing) return { kind: 'missing', id };
          return before.kind === 'shown' ? before : { kind: 'failed', id, reason: describeFault(fault) };
        });
      },
    );
    return () => abort.abort();
  }, [id, connection, round]);

  useEffect(
    () =>
      live.subscribe((changes) => {
        for (const change of changes) {
          if (change.kind === 'image') setDetail((before) => learn(before, change.image));
          else if (change.id === id) setDetail({ kind: 'missing', id });
        }
      }),
    [live, id],
  );

  if (known && (detail.kind === 'loading' || detail.kind === 'none' || detail.id !== known.id)) {
    return { kind: 'shown', id: known.id, image: known } satisfies Detail;
  }
  return detail;
};
