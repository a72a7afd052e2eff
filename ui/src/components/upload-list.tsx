import { useEffect, useRef } from 'react';
import { formatCount } from '../format.ts';
import { texts } from '../texts.ts';
import type { Overall } from '../upload-meter.ts';
import type { Upload } from '../upload-queue.ts';
import { useKeptFocus } from '../use-kept-focus.ts';
import type { Uploads } from '../use-uploads.ts';
import { PassedOver } from './passed-over.tsx';
import { Spoken } from './spoken.tsx';
import { UploadOverall } from './upload-overall.tsx';
import { UploadRow } from './upload-row.tsx';

/** A folder of a thousand files would otherwise push the images off the page. */
const [waitingShown, endedShown] = [5, 20];
/** Of more at once each one's own announcement would never end. */
const announcedEach = 5;

const announcement = (
  last: Upload | undefined,
  overall: Overall | null,
  passedOver: readonly string[] | null,
): string => {
  if (last && last.reason !== null) return texts.upload.announceRefused(last.name, last.reason);
  if (overall && overall.files > announcedEach)
    return texts.upload.announceOverall(formatCount(overall.files));
  if (last) return texts.upload.announceAccepted(last.name);
  if (passedOver === null || overall) return '';
  if (passedOver.length === 0) return texts.upload.nothingFound;
  return texts.upload.passedOver(passedOver.length, formatCount(passedOver.length));
};

/** What is listed: all that moves or was accepted just now, and a few of those that wait or were not accepted. */
const shownOf = (uploads: readonly Upload[]) => {
  const waiting = uploads.filter(({ phase }) => phase === 'waiting');
  const failed = uploads.filter(({ reason }) => reason !== null);
  const hidden = new Set([...waiting.slice(waitingShown), ...failed.slice(endedShown)]);
  return {
    shown: uploads.filter((upload) => !hidden.has(upload)),
    moreWaiting: Math.max(0, waiting.length - waitingShown),
    moreFailed: Math.max(0, failed.length - endedShown),
    failed: failed.length,
    unsent: failed.filter(({ phase }) => phase === 'unsent').length,
  };
};

const chooser = () => document.querySelector<HTMLElement>('#upload-files, #title');

interface UploadListProps {
  readonly uploads: Uploads;
  /** The open dialog: the list is behind it. */
  readonly dialog: HTMLElement | null;
}

/** The uploads under way, those that were not accepted with the server's reason, and what was passed over. */
export const UploadList = ({ uploads: all, dialog }: UploadListProps) => {
  const { queue, uploads, passedOver, forgetPassedOver } = all;
  const section = useRef<HTMLElement>(null);
  const keptFocus = useKeptFocus(section, chooser);
  const count = uploads.length;
  const before = useRef(count);
  useEffect(() => {
    // Dropped onto the end of a long list, they would begin unseen.
    if (count > before.current && !dialog) section.current?.scrollIntoView({ block: 'nearest' });
    before.current = count;
  }, [count, dialog]);
  const overall = queue.overall();
  const { shown, moreWaiting, moreFailed, failed, unsent } = shownOf(uploads);
  return (
    <>
      <Spoken text={announcement(queue.lastEnded(), overall, passedOver)} dialog={dialog} />
      <section
        ref={section}
        className="uploads"
        aria-label={texts.upload.list}
        hidden={uploads.length === 0 && passedOver === null}
        {...keptFocus}
      >
        {overall && overall.files > 1 && <UploadOverall overall={overall} queue={queue} />}
        <ul>
          {shown.map((upload) => (
            <UploadRow key={upload.key} upload={upload} queue={queue} />
          ))}
        </ul>
        {passedOver && <PassedOver paths={passedOver} onDismiss={forgetPassedOver} />}
        {moreWaiting > 0 && (
          <p className="uploads-more">{texts.upload.moreWaiting(moreWaiting, formatCount(moreWaiting))}</p>
        )}
        {moreFailed > 0 && (
          <p className="uploads-more">{texts.upload.moreEnded(moreFailed, formatCount(moreFailed))}</p>
        )}
        {failed > 1 && (
          <p className="uploads-all">
            {unsent > 1 && (
              <button type="button" className="button button-small" onClick={queue.retryAll}>
                {texts.upload.retryAll}
              </button>
            )}
            <button type="button" className="button button-small" onClick={queue.clear}>
              {texts.upload.clear}
            </button>
          </p>
        )}
      </section>
    </>
  );
};
