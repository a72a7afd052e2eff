import { useEffect, useRef, useState } from 'react';
import { type Image, originalUrl, remove, replay, reprocess } from '../api.ts';
import { describeFault } from '../listing-source.ts';
import { useMay } from '../session.ts';
import { texts } from '../texts.ts';

interface DetailActionsProps {
  readonly image: Image;
  readonly onChanged: () => void;
  readonly onDeleted: () => void;
}

const { detail } = texts;

/** Download, process again, delete after a second question. */
export const DetailActions = ({ image, onChanged, onDeleted }: DetailActionsProps) => {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const keep = useRef<HTMLButtonElement>(null);
  const mayChange = useMay('admin');
  const final = image.state !== 'queued' && image.state !== 'processing';

  // The harmless answer has the focus, so that Enter pressed twice deletes nothing.
  useEffect(() => {
    if (asking) keep.current?.focus();
  }, [asking]);

  const act = async (action: (id: string) => Promise<unknown>, then: () => void) => {
    setBusy(true);
    setFault('');
    try {
      await action(image.id);
      then();
    } catch (error) {
      setFault(describeFault(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <footer className="actions">
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
      {asking ? (
        <fieldset className="actions-row" aria-label={detail.confirmDelete}>
          <p>{detail.confirmDelete}</p>
          <button
            ref={keep}
            type="button"
            className="button"
            disabled={busy}
            onClick={() => setAsking(false)}
          >
            {detail.keep}
          </button>
          <button
            type="button"
            className="button button-danger"
            disabled={busy}
            onClick={() => act(remove, onDeleted)}
          >
            {detail.confirm}
          </button>
        </fieldset>
      ) : (
        <div className="actions-row">
          <a className="button" href={originalUrl(image.id)} download={image.filename || image.id}>
            {detail.download}
          </a>
          {!mayChange && <p>{texts.session.mayNotChange}</p>}
          {mayChange && image.state === 'dead' && (
            <button
              type="button"
              className="button button-main"
              disabled={busy}
              onClick={() => act(replay, onChanged)}
            >
              {detail.replay}
            </button>
          )}
          {mayChange && image.state !== 'dead' && (
            <button
              type="button"
              className="button"
              disabled={busy || !final}
              onClick={() => act(reprocess, onChanged)}
            >
              {detail.reprocess}
            </button>
          )}
          {mayChange && (
            <button
              type="button"
              className="button button-quiet-danger"
              disabled={busy}
              onClick={() => setAsking(true)}
            >
              {detail.delete}
            </button>
          )}
        </div>
      )}
    </footer>
  );
};
