import { useEffect, useState } from 'react';
import { fetchTimeline, type Image, type Timeline } from '../api.ts';
import { formatCount, formatDuration, formatTime } from '../format.ts';
import { texts } from '../texts.ts';

const { detail } = texts;
const steps = ['waitMs', 'fetchMs', 'decodeMs', 'inferMs'] as const;

const Entry = ({ entry, isFirst }: { entry: Timeline['entries'][number]; isFirst: boolean }) => (
  <li className={`event event-${entry.kind}`}>
    <span className="event-mark" aria-hidden="true" />
    <p className="event-head">
      <b>{detail.kinds[entry.kind]}</b>
      {entry.attempt !== null && entry.attempt > 0 && (
        <span>{detail.attempt(formatCount(entry.attempt))}</span>
      )}
      {!isFirst && <span>{detail.after(formatDuration(entry.sinceMs))}</span>}
    </p>
    <time dateTime={entry.at}>{formatTime(entry.at)}</time>
    {entry.detail && (
      <p className="event-detail">
        <bdi>{entry.detail}</bdi>
      </p>
    )}
    {entry.timings && (
      <dl className="event-steps">
        {steps.map((step) => (
          <div key={step}>
            <dt>{detail.timing[step]}</dt>
            <dd>{formatDuration(entry.timings?.[step] ?? 0)}</dd>
          </div>
        ))}
      </dl>
    )}
  </li>
);

/** What happened to an image, from the upload on; asked for anew whenever something has. */
export const DetailTimeline = ({ image }: { image: Image }) => {
  const { id, updatedAt, state, generation } = image;
  const [timeline, setTimeline] = useState<Timeline | null>(null);
  const [fault, setFault] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when the image has changed
  useEffect(() => {
    const abort = new AbortController();
    fetchTimeline(id, abort.signal).then(
      (answer) => {
        setTimeline(answer);
        setFault(false);
      },
      () => {
        if (!abort.signal.aborted) setFault(true);
      },
    );
    return () => abort.abort();
  }, [id, updatedAt, state, generation]);
  return (
    <section className="timeline">
      <h3>{detail.timeline}</h3>
      {!timeline && !fault && <p role="status">{detail.timelineLoading}</p>}
      {!timeline && fault && <p role="alert">{detail.timelineFault}</p>}
      {timeline?.truncated && <p className="timeline-note">{detail.truncated}</p>}
      {timeline && (
        <ol>
          {timeline.entries.map((entry, at) => (
            <Entry
              key={`${entry.at} ${entry.kind} ${entry.generation} ${entry.attempt}`}
              entry={entry}
              isFirst={at === 0}
            />
          ))}
        </ol>
      )}
    </section>
  );
};
