import { type MouseEvent, memo, useState } from 'react';
import { type Image, replay, thumbnailUrl } from '../api.ts';
import { formatBytes, formatShortTime } from '../format.ts';
import { describeFault } from '../listing-source.ts';
import { useMay } from '../session.ts';
import { texts } from '../texts.ts';
import { PictureIcon } from './icons.tsx';
import { StateChip } from './state-chip.tsx';

interface ImageCardProps {
  readonly image: Image;
  readonly href: string;
  readonly onOpen: (id: string) => void;
  readonly onChanged: () => void;
}

const Thumbnail = ({ image }: { image: Image }) => {
  const [broken, setBroken] = useState(false);
  // The picture's dimensions and its thumbnail come from the same decode: without one there is no other.
  if (image.width !== null && !broken) {
    return <img src={thumbnailUrl(image.id)} alt="" loading="lazy" onError={() => setBroken(true)} />;
  }
  return (
    <span className="card-placeholder">
      <PictureIcon />
    </span>
  );
};

/** One image of the list; the whole card is the link to its details. */
export const ImageCard = memo(({ image, href, onOpen, onChanged }: ImageCardProps) => {
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  const mayChange = useMay('admin');
  const name = image.filename || texts.list.unnamed;

  const onClick = (event: MouseEvent) => {
    // A new tab or window is the browser's own affair.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    onOpen(image.id);
  };
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
    <li className="card" data-image={image.id} data-state={image.state}>
      <a className="card-link" href={href} onClick={onClick}>
        <span className="card-picture">
          <Thumbnail image={image} />
        </span>
        <span className="card-name" title={name}>
          <bdi>{name}</bdi>
        </span>
        <StateChip image={image} />
        <span className="card-facts">
          <time dateTime={image.createdAt}>{formatShortTime(image.createdAt)}</time>
          <span>{formatBytes(image.bytes)}</span>
        </span>
      </a>
      {mayChange && image.state === 'dead' && (
        <button type="button" className="button button-small card-replay" disabled={busy} onClick={onReplay}>
          {texts.list.replay}
          <span className="visually-hidden">: {name}</span>
        </button>
      )}
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
    </li>
  );
});
