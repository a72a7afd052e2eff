import { useEffect, useState } from 'react';
import type { Image } from './api.ts';
import { formatCount, formatShare } from './format.ts';
import type { Live } from './live.ts';
import { texts } from './texts.ts';

/** Long enough for a screen reader to finish a sentence before the next one. */
const pauseMs = 1_500;

const sentence = (images: readonly Image[]): string => {
  const [only, ...others] = images;
  if (!only) return '';
  if (others.length === 0) {
    return only.result && only.state === 'succeeded'
      ? texts.announce.done(only.filename, only.result.label, formatShare(only.result.confidence))
      : texts.announce.failed(only.filename, texts.states[only.state]);
  }
  const done = images.filter(({ state }) => state === 'succeeded').length;
  return texts.announce.several(formatCount(done), formatCount(images.length - done));
};

/** What a screen reader is told about images that ended, several in one sentence. */
export const useAnnouncement = (live: Live): string => {
  const [text, setText] = useState('');
  useEffect(() => {
    // By ID: an event and a request may tell of the same end.
    const ended = new Map<string, Image>();
    let timer: number | undefined;
    const speak = () => {
      timer = undefined;
      setText(sentence([...ended.values()]));
      ended.clear();
    };
    const stop = live.subscribe((changes) => {
      for (const change of changes) {
        if (change.kind !== 'image') continue;
        const { id, state } = change.image;
        if (state === 'succeeded' || state === 'failed' || state === 'dead') ended.set(id, change.image);
      }
      if (ended.size > 0) timer ??= window.setTimeout(speak, pauseMs);
    });
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, [live]);
  return text;
};
