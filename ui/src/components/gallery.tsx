import { type ReactNode, useCallback, useContext } from 'react';
import { isFiltered } from '../api.ts';
import { DeletionsContext, useLeaving } from '../deletions.ts';
import { focusTitle } from '../focus-title.ts';
import { formatCount } from '../format.ts';
import { indexOf, type Listing, mostFresh, slotAt } from '../listing.ts';
import type { ListingSource } from '../listing-source.ts';
import { SessionContext, useMay } from '../session.ts';
import { texts } from '../texts.ts';
import { viewUrl } from '../view.ts';
import { ImageCard } from './image-card.tsx';
import { Logo } from './logo.tsx';
import { Notice } from './notice.tsx';
import { type CellSize, VirtualGrid } from './virtual-grid.tsx';

const skeletons = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** What stands where images will be. */
export const Skeletons = ({ text, className }: { text: string; className: string }) => (
  <div role="status">
    <span className="visually-hidden">{text}</span>
    <ul className={`skeletons ${className}`} aria-hidden="true">
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
        <button
          type="button"
          className="button"
          onClick={() => {
            onClearFilter();
            focusTitle();
          }}
        >
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

/** Tells somebody who has scrolled down what is new at the top. */
const Fresh = ({ count }: { count: number }) => (
  <div className="fresh" role="status">
    {count > 0 && (
      <button
        type="button"
        className="button button-main"
        onClick={() => {
          window.scrollTo({ top: 0 });
          focusTitle();
        }}
      >
        {count < mostFresh
          ? texts.list.fresh(count, formatCount(count))
          : texts.list.freshMany(formatCount(count))}
      </button>
    )}
  </div>
);

const cardSize = (): CellSize =>
  window.matchMedia('(width < 40rem)').matches
    ? { least: 9.5, aspect: 0.75, extra: 7.6, gap: 0.75 }
    : { least: 12.5, aspect: 0.75, extra: 7.5, gap: 1 };

interface GalleryProps {
  readonly listing: Listing;
  readonly source: ListingSource;
  /** The image whose details are open. */
  readonly active: string | null;
  readonly onClearFilter: () => void;
}

/** The images listed, or what stands in their place. */
export const Gallery = ({ listing, source, active, onClearFilter }: GalleryProps) => {
  const { phase, count, next, fault, filter, fresh } = listing;
  const leaving = useLeaving(useContext(DeletionsContext));
  const keyOf = useCallback(
    (index: number) => {
      const slot = slotAt(listing, index);
      return slot.kind === 'image' ? slot.image.id : `${index}`;
    },
    [listing],
  );
  const cell = (index: number): ReactNode => {
    const slot = slotAt(listing, index);
    if (slot.kind === 'loading') return <div className="card card-skeleton" aria-hidden="true" />;
    if (slot.kind === 'gone') return <p className="card-gone">{texts.list.gone}</p>;
    const { image } = slot;
    return (
      <ImageCard
        image={image}
        href={viewUrl({ filter, image: image.id })}
        leaving={leaving.has(image.id)}
        onChanged={source.refresh}
      />
    );
  };
  if (phase === 'loading') return <Skeletons text={texts.list.loading} className="cards" />;
  if (phase === 'failed') {
    return (
      <Notice title={texts.list.faultTitle} text={fault ?? undefined} urgent>
        <button
          type="button"
          className="button"
          onClick={() => {
            source.refresh();
            focusTitle();
          }}
        >
          {texts.list.retry}
        </button>
      </Notice>
    );
  }
  if (count === 0) return <Nothing filtered={isFiltered(filter)} onClearFilter={onClearFilter} />;
  return (
    <div className="gallery">
      <Fresh count={fresh.size} />
      <VirtualGrid
        className="cards"
        label={texts.list.title}
        size={cardSize}
        count={count}
        more={next !== null}
        keyOf={keyOf}
        // The focus does not go back to what is about to be deleted.
        indexOf={(key) => (leaving.has(key) ? -1 : indexOf(listing, key))}
        cell={cell}
        onShow={source.show}
        active={active}
      />
      {next === null && <p className="list-end">{texts.list.end(count, formatCount(count))}</p>}
    </div>
  );
};
