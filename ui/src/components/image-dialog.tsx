import { useLayoutEffect, useRef } from 'react';
import type { Image } from '../api.ts';
import { texts } from '../texts.ts';
import type { Detail } from '../use-detail.ts';
import { DetailActions } from './detail-actions.tsx';
import { DetailFacts } from './detail-facts.tsx';
import { DetailPicture } from './detail-picture.tsx';
import { DetailResult } from './detail-result.tsx';
import { CloseIcon } from './icons.tsx';
import { StateChip } from './state-chip.tsx';

interface ImageDialogProps {
  readonly detail: Exclude<Detail, { kind: 'none' }>;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

const Details = ({ image, onClose, onChanged }: { image: Image; onClose(): void; onChanged(): void }) => (
  <>
    <div className="dialog-body">
      <DetailPicture key={image.id} image={image} />
      <div className="dialog-text">
        <DetailResult image={image} />
        <DetailFacts image={image} />
      </div>
    </div>
    <DetailActions
      image={image}
      onChanged={onChanged}
      onDeleted={() => {
        onChanged();
        onClose();
      }}
    />
  </>
);

const Absent = ({ detail }: { detail: Exclude<Detail, { kind: 'none' | 'shown' }> }) => {
  if (detail.kind === 'loading') return <p role="status">{texts.detail.loading}</p>;
  return <p role="alert">{detail.kind === 'missing' ? texts.detail.missing : detail.reason}</p>;
};

/** One image in full. Modal: Escape closes it and the browser gives the focus back. */
export const ImageDialog = ({ detail, onClose, onChanged }: ImageDialogProps) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Only close() gives the focus back; taking the element away does not.
    return () => element?.close();
  }, []);

  const image = detail.kind === 'shown' ? detail.image : undefined;
  const title = image ? image.filename || texts.list.unnamed : texts.detail.title;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click beside the dialog is only a shortcut; Escape and the close button do the same
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby="dialog-title"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="dialog-frame">
        <header className="dialog-head">
          <h2 id="dialog-title" title={title}>
            <bdi>{title}</bdi>
          </h2>
          {image && <StateChip image={image} brief />}
          <button
            type="button"
            className="button-icon"
            aria-label={texts.detail.close}
            title={texts.detail.close}
            onClick={close}
          >
            <CloseIcon />
          </button>
        </header>
        {detail.kind === 'shown' ? (
          <Details image={detail.image} onClose={close} onChanged={onChanged} />
        ) : (
          <div className="dialog-absent">
            <Absent detail={detail} />
          </div>
        )}
      </div>
    </dialog>
  );
};
