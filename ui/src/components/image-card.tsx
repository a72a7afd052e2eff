import { memo, useRef, useState } from 'react';
import { type Image, replay, thumbnailUrl } from '../api.ts';
import { formatBytes, formatShortTime } from '../format.ts';
import { describeFault } from '../listing-source.ts';
import { useMay } from '../session.ts';
import { texts } from '../texts.ts';
import { useKeptFocus } from '../use-kept-focus.ts';
import { openImage } from '../view.ts';
import { ActionButton } from './action-button.tsx';
import { PictureIcon } from './icons.tsx';
import { onPlainClick } from './link.tsx';
import { StateChip } from './state-chip.tsx';

/** How much longer one side may be than the other until cutting off what sticks out leaves nothing to recognise. */
const longest = 2.5;

const isLong = (width: number, height: number): boolean =>
  Math.max(width, height) > longest * Math.min(width, height);

/** An image's thumbnail, or a sign in its place. */
export const Thumbnail = ({ image }: { image: Image }) => {
  const [broken, setBroken] = useState(false);
  // The picture's dimensions and its thumbnail come from the same decode: without one there is no other.
  if (image.width !== null && !broken) {
    return (
      <img
        src={thumbnailUrl(image.id)}
        alt=""
        loading="lazy"
        data-long={isLong(image.width, image.height ?? image.width) || undefined}
        onError={() => setBroken(true)}
      />
    );
  }
  return (
    <span className="card-placeholder">
      <PictureIcon />
    </span>
  );
};

interface ImageCardProps {
  readonly image: Image;
  readonly href: string;
  /** Its deletion waits for a few seconds, so that it can be undone. */
  readonly leaving: boolean;
  readonly onChanged: () => void;
}

/** One image of the list; the whole card is the link to its details. */
export const ImageCard = memo(({ image, href, leaving, onChanged }: ImageCardProps) => {
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const mayChange = useMay('admin');
  const card = useRef<HTMLDivElement>(null);
  const keptFocus = useKeptFocus(card);
  const name = image.filename || texts.list.unnamed;

  const onReplay = async () => {
    setBusy(true);
    setFault('');
    try {
      await replay(image.id);
      onChanged();
    } catch (error) {
      setFault(describeFault(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div
      ref={card}
      className="card"
      data-image={image.id}
      data-state={image.state}
      data-leaving={leaving || undefined}
      {...keptFocus}
    >
      <a className="card-link" href={href} onClick={onPlainClick(() => openImage(image.id))}>
        <span className="card-picture">
          <Thumbnail image={image} />
        </span>
        <span className="card-name" title={name}>
          <bdi>{name}</bdi>
        </span>
        {leaving ? <span className="chip">{texts.deletion.mark}</span> : <StateChip image={image} />}
        <span className="card-facts">
          <time dateTime={image.createdAt}>{formatShortTime(image.createdAt)}</time>
          <span>{formatBytes(image.bytes)}</span>
        </span>
      </a>
      {mayChange && image.state === 'dead' && !leaving && (
        <ActionButton className="button button-small card-replay" idle={busy} onClick={onReplay}>
          {texts.list.replay}
          <span className="visually-hidden">: {name}</span>
        </ActionButton>
      )}
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
});
