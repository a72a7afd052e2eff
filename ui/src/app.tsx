import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { fetchModels, fetchSummary, type Model } from './api.ts';
import { Announcement } from './components/announcement.tsx';
import { Brand } from './components/brand.tsx';
import { ConnectionBadge } from './components/connection-badge.tsx';
import { DeadLettersView } from './components/dead-letters-view.tsx';
import { DeletionList } from './components/deletion-list.tsx';
import { DropSign } from './components/drop-sign.tsx';
import { ImageDialog } from './components/image-dialog.tsx';
import { ImagesView } from './components/images-view.tsx';
import { PlaceLink } from './components/link.tsx';
import { SessionBadge } from './components/session-badge.tsx';
import { Summary } from './components/summary.tsx';
import { SystemView } from './components/system-view.tsx';
import { UploadForm } from './components/upload-form.tsx';
import { UploadGlance } from './components/upload-glance.tsx';
import { UploadList } from './components/upload-list.tsx';
import { createDeletions, DeletionsContext } from './deletions.ts';
import { focusTitle } from './focus-title.ts';
import { formatClock, formatCount } from './format.ts';
import { KeptListContext } from './kept-lists.ts';
import { indexOf, neighbours, slotAt } from './listing.ts';
import type { Live } from './live.ts';
import { useMay } from './session.ts';
import { texts } from './texts.ts';
import { useDetail } from './use-detail.ts';
import { useFileDrop } from './use-file-drop.ts';
import { useKeptList } from './use-kept-list.ts';
import { usePolled } from './use-polled.ts';
import { useUploads } from './use-uploads.ts';
import { closeImage, type Place, places, useView } from './view.ts';

const useModels = (connection: string): readonly Model[] => {
  const [models, setModels] = useState<readonly Model[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another connection may lead to a server with other models
  useEffect(() => {
    const abort = new AbortController();
    // Without them only the label filter is empty; the list itself tells of a server that does not answer.
    fetchModels(abort.signal).then(setModels, () => undefined);
    return () => abort.abort();
  }, [connection]);
  return models;
};

interface AppProps {
  readonly live: Live;
  readonly onSignOut: () => Promise<void>;
}

const ignore = () => undefined;

/** Names the place in the window's title; another place has the focus at its heading or where it was in its list. */
const usePlace = (place: Place) => {
  const before = useRef(place);
  useEffect(() => {
    document.title = texts.titleOf(texts.places[place]);
    if (before.current !== place && !document.activeElement?.closest('.virtual')) focusTitle();
    before.current = place;
  }, [place]);
};

const summaryPolling = { everyMs: 5_000, soonMs: 1_000 };

const Navigation = ({ place, dead }: { place: Place; dead: number }) => (
  <nav className="places" aria-label={texts.navigation}>
    {places.map((one) => (
      <PlaceLink key={one} place={one} current={one === place}>
        {texts.places[one]}
        {one === 'dead-letters' && dead > 0 && <span className="badge">{formatCount(dead)}</span>}
      </PlaceLink>
    ))}
  </nav>
);

export const App = ({ live, onSignOut }: AppProps) => {
  const view = useView();
  const { place, image: open } = view;
  const connection = useSyncExternalStore(live.subscribeConnection, live.connection);
  const { list, listing } = useKeptList(live, place, view.filter);
  const slot = open ? slotAt(listing, indexOf(listing, open)) : null;
  const detail = useDetail(live, connection, open, slot?.kind === 'image' ? slot.image : null);
  const counts = usePolled(fetchSummary, live, summaryPolling);
  const models = useModels(connection);
  const uploads = useUploads(live);
  const mayUpload = useMay('upload');
  const over = useFileDrop(mayUpload ? uploads.add : ignore);
  const [deletions] = useState(() => createDeletions(({ id }) => live.forget(id)));
  useEffect(() => deletions.open(), [deletions]);
  const [dialog, setDialog] = useState<HTMLElement | null>(null);
  usePlace(place);

  const onClose = useCallback(() => {
    closeImage();
    // A deleted image has taken the card along that had the focus.
    if (document.activeElement === document.body) focusTitle();
  }, []);

  return (
    <DeletionsContext value={deletions}>
      <a className="skip" href="#title">
        {texts.skipToMain}
      </a>
      <header className="top">
        <Brand />
        <Navigation place={place} dead={counts.value?.states.dead ?? 0} />
        <div className="top-end">
          <SessionBadge onSignOut={onSignOut} />
          <ConnectionBadge connection={connection} />
        </div>
      </header>
      <main>
        {listing.fault !== null && listing.phase === 'ready' && (
          <p className="banner" role="alert">
            {texts.outOfDate(formatClock(listing.asOf))}
          </p>
        )}
        {place === 'images' &&
          (mayUpload ? (
            <UploadForm onSelection={uploads.add} />
          ) : (
            <p className="upload">{texts.session.mayNotUpload}</p>
          ))}
        <UploadList uploads={uploads} dialog={dialog} />
        {place === 'images' && (
          <>
            <Summary counts={counts} />
            <ImagesView list={list} listing={listing} models={models} active={open} />
          </>
        )}
        {place === 'dead-letters' && (
          <KeptListContext key={list.key} value={list}>
            <DeadLettersView
              listing={listing}
              source={list.source}
              active={open}
              total={counts.value?.states.dead ?? null}
            />
          </KeptListContext>
        )}
        {place === 'system' && <SystemView live={live} />}
      </main>
      <footer className="bottom">
        <a href="docs">{texts.footer.docs}</a>
        <a href="openapi.json">{texts.footer.openapi}</a>
      </footer>
      <Announcement live={live} dialog={dialog} />
      {detail.kind !== 'none' && (
        <ImageDialog
          detail={detail}
          {...neighbours(listing, detail.id)}
          onClose={onClose}
          onChanged={list.source.refresh}
          onElement={setDialog}
        />
      )}
      <DeletionList dialog={dialog} onEmpty={focusTitle} />
      {dialog && <UploadGlance uploads={uploads} dialog={dialog} />}
      {over && mayUpload && <DropSign dialog={dialog} />}
    </DeletionsContext>
  );
};
