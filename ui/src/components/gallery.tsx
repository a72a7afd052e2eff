import { useContext } from 'react';
import type { Listing } from '../listing.ts';
import { SessionContext, useMay } from '../session.ts';
import { texts } from '../texts.ts';
import { viewUrl } from '../view.ts';
import { ImageCard } from './image-card.tsx';
import { Logo } from './logo.tsx';
import { Notice } from './notice.tsx';

interface GalleryProps {
  readonly listing: Listing;
  readonly onOpen: (id: string) => void;
  readonly onRefresh: () => void;
  readonly onMore: () => void;
  readonly onClearFilter: () => void;
}

const skeletons = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

const Loading = () => (
  <div role="status">
    <span className="visually-hidden">{texts.list.loading}</span>
    <ul className="cards" aria-hidden="true">
      {skeletons.map((key) => (
        <li key={key} className="card card-skeleton">
          <span className="card-picture" />
          <span className="skeleton-line" />
          <span className="skeleton-line skeleton-short" />
        </li>
      ))}
    </ul>
  </div>
);

const Command = () => {
  const key = useContext(SessionContext).kind === 'signed-in' ? "-H 'Authorization: Bearer gantry_…' " : '';
  return (
    <code className="command">
      curl {key}-F image=@cat.jpeg {new URL('upload', document.baseURI).href}
    </code>
  );
};

const Nothing = ({ filtered, onClearFilter }: { filtered: boolean; onClearFilter: () => void }) => {
  const mayUpload = useMay('upload');
  if (filtered) {
    return (
      <Notice title={texts.list.noMatchTitle} text={texts.list.noMatchText}>
        <button type="button" className="button" onClick={onClearFilter}>
          {texts.filter.clear}
        </button>
      </Notice>
    );
  }
  return (
    <Notice
      title={texts.list.emptyTitle}
      text={mayUpload ? texts.list.emptyText : texts.list.emptyQuiet}
      figure={<Logo className="notice-figure" />}
    >
      {mayUpload && <Command />}
    </Notice>
  );
};

/** The images listed, or what stands in their place. */
export const Gallery = ({ listing, onOpen, onRefresh, onMore, onClearFilter }: GalleryProps) => {
  const { phase, images, next, fault, filter, loadingMore } = listing;
  if (phase === 'loading') return <Loading />;
  if (phase === 'failed') {
    return (
      <Notice title={texts.list.faultTitle} text={fault ?? undefined} urgent>
        <button type="button" className="button" onClick={onRefresh}>
          {texts.list.retry}
        </button>
      </Notice>
    );
  }
  if (images.length === 0) {
    return <Nothing filtered={Boolean(filter.state || filter.label)} onClearFilter={onClearFilter} />;
  }
  return (
    <>
      <ul className="cards">
        {images.map((image) => (
          <ImageCard
            key={image.id}
            image={image}
            href={viewUrl({ ...filter, image: image.id })}
            onOpen={onOpen}
            onChanged={onRefresh}
          />
        ))}
      </ul>
      {next && (
        <button type="button" className="button more" disabled={loadingMore} onClick={onMore}>
          {loadingMore ? texts.list.loadingMore : texts.list.more}
        </button>
      )}
    </>
  );
};
