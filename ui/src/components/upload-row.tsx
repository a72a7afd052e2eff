import { useEffect, useState } from 'react';
import { formatBytes, formatShare } from '../format.ts';
import { texts } from '../texts.ts';
import { isUnderWay, type Upload, type UploadQueue } from '../upload-queue.ts';
import { CloseIcon, PictureIcon } from './icons.tsx';

/** The picture itself, before the server has it; an icon where the browser cannot show it. */
const Preview = ({ file }: { file: File }) => {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!file.type.startsWith('image/')) return undefined;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => {
      setUrl(null);
      URL.revokeObjectURL(made);
    };
  }, [file]);
  return (
    <span className="upload-preview">
      {url === null ? (
        <PictureIcon />
      ) : (
        <img src={url} alt="" decoding="async" onError={() => setUrl(null)} />
      )}
    </span>
  );
};

const status = ({ phase, share }: Upload): string =>
  phase === 'sending' ? formatShare(share) : texts.upload[phase];

export const UploadRow = ({ upload, queue }: { upload: Upload; queue: UploadQueue }) => {
  const { key, file, name, phase, share, reason } = upload;
  const action = isUnderWay(upload) ? texts.upload.cancel : texts.upload.dismiss;
  return (
    <li className={`upload-row upload-${phase}`} data-phase={phase}>
      <Preview file={file} />
      <span className="upload-name" title={name}>
        <bdi>{name}</bdi>
      </span>
      <span className="upload-status">
        {status(upload)} · {formatBytes(upload.bytes)}
      </span>
      {phase !== 'waiting' && reason === null && (
        <progress
          aria-label={texts.upload.progressOf(name)}
          value={phase === 'checking' ? undefined : share}
        />
      )}
      {reason !== null && (
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
