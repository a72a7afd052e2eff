import { isFiltered, type Model, noFilter } from '../api.ts';
import type { Listing } from '../listing.ts';
import type { ListingSource } from '../listing-source.ts';
import { texts } from '../texts.ts';
import { filterBy } from '../view.ts';
import { FilterBar } from './filter-bar.tsx';
import { Gallery } from './gallery.tsx';

interface ImagesViewProps {
  readonly listing: Listing;
  readonly source: ListingSource;
  readonly models: readonly Model[];
  readonly active: string | null;
}

/** The images, and the filter that chooses them. */
export const ImagesView = ({ listing, source, models, active }: ImagesViewProps) => {
  // There is nothing to choose from yet.
  const nothing = listing.phase === 'ready' && listing.count === 0 && !isFiltered(listing.filter);
  return (
    <section className="images" aria-labelledby="title">
      <div className="images-head">
        <h2 id="title" tabIndex={-1}>
          {texts.list.title}
        </h2>
        {!nothing && <FilterBar filter={listing.filter} models={models} />}
      </div>
      <Gallery
        key={JSON.stringify(listing.filter)}
        listing={listing}
        source={source}
        active={active}
        onClearFilter={() => isFiltered(listing.filter) && filterBy(noFilter)}
      />
    </section>
  );
};
