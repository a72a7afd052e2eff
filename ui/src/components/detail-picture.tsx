import { useRef, useState } from 'react';
import { type Image, originalUrl, thumbnailUrl } from '../api.ts';
import { formatZoom } from '../format.ts';
import { texts } from '../texts.ts';
import { useZoom } from '../use-zoom.ts';
import { FitIcon, MinusIcon, PictureIcon, PlusIcon } from './icons.tsx';

const { detail } = texts;

const Tool = ({
  name,
  onPress,
  children,
}: {
  name: string;
  onPress: () => void;
  children: React.ReactNode;
}) => (
  <button type="button" className="button-icon" title={name} onClick={onPress}>
    {children}
  </button>
);

/** The original, over its thumbnail while it loads. A format that the browser cannot show stays a thumbnail. */
export const DetailPicture = ({ image }: { image: Image }) => {
  const [original, setOriginal] = useState<'loading' | 'shown' | 'broken'>('loading');
  const stage = useRef<HTMLDivElement>(null);
  const { zoom, zoomIn, zoomOut, fit, handlers } = useZoom(stage);
  const hasThumbnail = image.width !== null;
  const nothing = original === 'broken' && !hasThumbnail;
  return (
    <figure className="stage" data-original={original}>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields of a form */}
      <div
        ref={stage}
        className="stage-picture"
        role="group"
        aria-label={detail.zoom}
        data-zoomed={zoom.scale > 1 || undefined}
        tabIndex={nothing ? undefined : 0}
        {...handlers}
      >
        <div
          className="stage-moved"
          style={{ transform: `translate(${zoom.x * 100}%, ${zoom.y * 100}%) scale(${zoom.scale})` }}
        >
          {hasThumbnail && original !== 'shown' && (
            <img
              className="stage-thumbnail"
              src={thumbnailUrl(image.id)}
              alt={original === 'broken' ? image.filename : ''}
              draggable={false}
            />
          )}
          {original !== 'broken' && (
            <img
              className="stage-original"
              src={originalUrl(image.id)}
              alt={image.filename}
              draggable={false}
              onLoad={() => setOriginal('shown')}
              onError={() => setOriginal('broken')}
            />
          )}
          {nothing && <PictureIcon />}
        </div>
        {!nothing && (
          <div className="stage-tools">
            <Tool name={detail.zoomOut} onPress={zoomOut}>
              <MinusIcon />
            </Tool>
            <output>{formatZoom(zoom.scale)}</output>
            <Tool name={detail.zoomIn} onPress={zoomIn}>
              <PlusIcon />
            </Tool>
            <Tool name={detail.fit} onPress={fit}>
              <FitIcon />
            </Tool>
          </div>
        )}
      </div>
      {original === 'broken' && (
        <figcaption>{hasThumbnail ? detail.thumbnailOnly : detail.noPicture}</figcaption>
      )}
    </figure>
  );
};
