import { isFiltered, type Model, noFilter } from '../api.ts';
import { type KeptList, KeptListContext } from '../kept-lists.ts';
import type { Listing } from '../listing.ts';
import { texts } from '../texts.ts';
import { filterBy } from '../view.ts';
import { FilterBar } from './filter-bar.tsx';
import { Gallery } from './gallery.tsx';

interface ImagesViewProps {
  readonly list: KeptList;
  readonly listing: Listing;
  readonly models: readonly Model[];
  readonly active: string | null;
}

/** The images, and the filter that chooses them. */
export const ImagesView = ({ list, listing, models, active }: ImagesViewProps) => {
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
      <KeptListContext key={list.key} value={list}>
        <Gallery
          listing={listing}
          source={list.source}
          active={active}
          onClearFilter={() => isFiltered(listing.filter) && filterBy(noFilter)}
        />
      </KeptListContext>
    </section>
  );
};
