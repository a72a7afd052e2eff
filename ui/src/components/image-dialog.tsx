import { type KeyboardEvent, useLayoutEffect, useRef } from 'react';
import type { Image } from '../api.ts';
import { texts } from '../texts.ts';
import type { Detail } from '../use-detail.ts';
import { openImage } from '../view.ts';
import { DetailActions } from './detail-actions.tsx';
import { DetailFacts } from './detail-facts.tsx';
import { DetailJson } from './detail-json.tsx';
import { DetailPicture } from './detail-picture.tsx';
import { DetailResult } from './detail-result.tsx';
import { DetailTimeline } from './detail-timeline.tsx';
import { CloseIcon, NewerIcon, OlderIcon } from './icons.tsx';
import { StateChip } from './state-chip.tsx';

interface ImageDialogProps {
  readonly detail: Exclude<Detail, { kind: 'none' }>;
  readonly newer: Image | null;
  readonly older: Image | null;
  readonly onClose: () => void;
  readonly onChanged: () => void;
  /** Hears of the dialog while it is open, and then of none. */
  readonly onElement: (dialog: HTMLElement | null) => void;
}

const Details = ({ image, onClose, onChanged }: { image: Image; onClose(): void; onChanged(): void }) => (
  <>
    <div className="dialog-body">
      <DetailPicture key={image.id} image={image} />
      <section
        key={`text ${image.id}`}
        className="dialog-text"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it
        tabIndex={0}
        aria-label={texts.detail.title}
      >
        <DetailResult image={image} />
        <DetailTimeline image={image} />
        <DetailFacts image={image} />
        <DetailJson image={image} />
      </section>
    </div>
    <DetailActions image={image} onChanged={onChanged} onDelete={onClose} />
  </>
);

const Absent = ({ detail }: { detail: Exclude<Detail, { kind: 'none' | 'shown' }> }) => {
  if (detail.kind === 'loading') return <p role="status">{texts.detail.loading}</p>;
  return <p role="alert">{detail.kind === 'missing' ? texts.detail.missing : detail.reason}</p>;
};

/** Goes to the image beside the open one. It stays there, disabled, at the end: the focus must not be lost. */
const Step = ({ image, newer = false }: { image: Image | null; newer?: boolean }) => {
  const name = newer ? texts.detail.newer : texts.detail.older;
  return (
    <button
      type="button"
      className="button-icon"
      title={name}
      aria-disabled={image === null}
      onClick={() => image && openImage(image.id)}
    >
      {newer ? <NewerIcon /> : <OlderIcon />}
    </button>
  );
};

/** One image in full. Modal: Escape closes it, the left and right arrow keys go to the images beside it. */
export const ImageDialog = (props: ImageDialogProps) => {
  const { detail, newer, older, onClose, onChanged, onElement } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();

  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    onElement(element);
    return () => {
      onElement(null);
      // Only close() gives the focus back; taking the element away does not.
      element?.close();
    };
  }, [onElement]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const to = event.key === 'ArrowLeft' ? newer : event.key === 'ArrowRight' ? older : null;
    if (!to || (event.target as Element).closest('pre')) return;
    event.preventDefault();
    openImage(to.id);
  };
  const image = detail.kind === 'shown' ? detail.image : undefined;
  const title = image ? image.filename || texts.list.unnamed : texts.detail.title;
  return (
    // The click beside the dialog is only a shortcut; Escape and the close button do the same.
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby="dialog-title"
      onClose={onClose}
      onKeyDown={onKeyDown}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div className="dialog-frame">
        <div className="dialog-head">
          <h2 id="dialog-title" title={title}>
            <bdi>{title}</bdi>
          </h2>
          {image && <StateChip image={image} brief />}
          <span className="dialog-tools">
            <Step image={newer} newer />
            <Step image={older} />
            <button type="button" className="button-icon" title={texts.detail.close} onClick={close}>
              <CloseIcon />
            </button>
          </span>
        </div>
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
