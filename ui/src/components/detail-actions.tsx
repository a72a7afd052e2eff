import { useContext, useState } from 'react';
import { type Image, originalUrl, replay, reprocess } from '../api.ts';
import { DeletionsContext } from '../deletions.ts';
import { describeFault } from '../listing-source.ts';
import { useMay } from '../session.ts';
import { texts } from '../texts.ts';
import { ActionButton } from './action-button.tsx';

interface DetailActionsProps {
  readonly image: Image;
  readonly onChanged: () => void;
  readonly onDelete: () => void;
}

const { detail } = texts;

/** Download, process again, delete with some seconds to undo it. */
export const DetailActions = ({ image, onChanged, onDelete }: DetailActionsProps) => {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const deletions = useContext(DeletionsContext);
  const mayChange = useMay('admin');
  const final = image.state !== 'queued' && image.state !== 'processing';
  const isDead = image.state === 'dead';

  const again = async () => {
    setBusy(true);
    setFault('');
    try {
      await (isDead ? replay : reprocess)(image.id);
      onChanged();
    } catch (error) {
      setFault(describeFault(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="actions">
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
      <div className="actions-row">
        <a className="button" href={originalUrl(image.id)} download={image.filename || image.id}>
          {detail.download}
        </a>
        {!mayChange && <p>{texts.session.mayNotChange}</p>}
        {mayChange && (
          <>
            <ActionButton
              className={isDead ? 'button button-main' : 'button'}
              idle={busy || !final}
              onClick={again}
            >
              {isDead ? detail.replay : detail.reprocess}
            </ActionButton>
            <button
              type="button"
              className="button button-quiet-danger"
              onClick={() => {
                deletions.add(image.id, image.filename || texts.list.unnamed);
                onDelete();
              }}
            >
              {detail.delete}
            </button>
          </>
        )}
      </div>
    </div>
  );
};
