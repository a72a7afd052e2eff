import { useEffect, useRef } from 'react';
import { formatBytes, formatCount, formatShare } from '../format.ts';
import { texts } from '../texts.ts';
import { isUnderWay, type Upload, type UploadQueue } from '../upload-queue.ts';
import { CloseIcon } from './icons.tsx';

/** A folder of a thousand files would otherwise push the images off the page. */
const waitingShown = 5;

const status = ({ phase, share }: Upload): string =>
  phase === 'sending' ? formatShare(share) : texts.upload[phase];

const UploadRow = ({ upload, queue }: { upload: Upload; queue: UploadQueue }) => {
  const { key, name, phase, share, reason } = upload;
  const action = isUnderWay(upload) ? texts.upload.cancel : texts.upload.dismiss;
  return (
    <li className={`upload-row upload-${phase}`} data-phase={phase}>
      <span className="upload-name" title={name}>
        <bdi>{name}</bdi>
      </span>
      <span className="upload-status">
        {status(upload)} · {formatBytes(upload.bytes)}
      </span>
      {reason === null ? (
        <progress
          aria-label={texts.upload.progressOf(name)}
          value={phase === 'checking' ? undefined : share}
        />
      ) : (
        <p className="upload-reason">
          <bdi>{reason}</bdi>
        </p>
      )}
      <span className="upload-actions">
        {phase === 'unsent' && (
          <button type="button" className="button button-small" onClick={() => queue.retry(key)}>
            {texts.upload.retry}
            <span className="visually-hidden">: {name}</span>
          </button>
        )}
        <button
          type="button"
          className="button-icon"
          aria-label={texts.upload.forFile(action, name)}
          title={action}
          onClick={() => queue.dismiss(key)}
        >
          <CloseIcon />
        </button>
      </span>
    </li>
  );
};

const announcement = (uploads: readonly Upload[]): string => {
  const last = uploads.findLast((upload) => !isUnderWay(upload));
  if (!last) return '';
  if (last.reason !== null) return texts.upload.announceRefused(last.name, last.reason);
  return texts.upload.announceAccepted(last.name);
};

/** The uploads under way, and those that were not accepted with the server's reason. */
export const UploadList = ({ uploads, queue }: { uploads: readonly Upload[]; queue: UploadQueue }) => {
  const section = useRef<HTMLElement>(null);
  const count = uploads.length;
  const before = useRef(count);
  useEffect(() => {
    // Dropped onto the end of a long list, they would begin unseen.
    if (count > before.current) section.current?.scrollIntoView({ block: 'nearest' });
    before.current = count;
  }, [count]);
  const waiting = uploads.filter(({ phase }) => phase === 'waiting');
  const hidden = new Set(waiting.slice(waitingShown));
  const ended = uploads.filter(({ reason }) => reason !== null);
  return (
    <section ref={section} className="uploads" aria-label={texts.upload.list} hidden={uploads.length === 0}>
      <p className="visually-hidden" role="status">
        {announcement(uploads)}
      </p>
      <ul>
        {uploads
          .filter((upload) => !hidden.has(upload))
          .map((upload) => (
            <UploadRow key={upload.key} upload={upload} queue={queue} />
          ))}
      </ul>
      {hidden.size > 0 && (
        <p className="uploads-more">{texts.upload.moreWaiting(hidden.size, formatCount(hidden.size))}</p>
      )}
      {ended.length > 1 && (
        <button type="button" className="button button-small" onClick={queue.clear}>
          {texts.upload.clear}
        </button>
      )}
    </section>
  );
};
