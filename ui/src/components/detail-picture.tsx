import { useState } from 'react';
import { type Image, originalUrl, thumbnailUrl } from '../api.ts';
import { texts } from '../texts.ts';
import { PictureIcon } from './icons.tsx';

/** The original, over its thumbnail while it loads. A format that the browser cannot show stays a thumbnail. */
export const DetailPicture = ({ image }: { image: Image }) => {
  const [original, setOriginal] = useState<'loading' | 'shown' | 'broken'>('loading');
  const hasThumbnail = image.width !== null;
  return (
    <figure className="stage" data-original={original}>
      <div className="stage-picture">
        {hasThumbnail && original !== 'shown' && (
          <img
            className="stage-thumbnail"
            src={thumbnailUrl(image.id)}
            alt={original === 'broken' ? image.filename : ''}
          />
        )}
        {original !== 'broken' && (
          <img
            className="stage-original"
            src={originalUrl(image.id)}
            alt={image.filename}
            onLoad={() => setOriginal('shown')}
            onError={() => setOriginal('broken')}
          />
        )}
        {original === 'broken' && !hasThumbnail && <PictureIcon />}
      </div>
      {original === 'broken' && (
        <figcaption>{hasThumbnail ? texts.detail.thumbnailOnly : texts.detail.noPicture}</figcaption>
      )}
    </figure>
  );
};
