import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { fetchImage, fetchModels, type Model } from './api.ts';
import { ConnectionBadge } from './components/connection-badge.tsx';
import { FilterBar } from './components/filter-bar.tsx';
import { Gallery } from './components/gallery.tsx';
import { ImageDialog } from './components/image-dialog.tsx';
import { Logo } from './components/logo.tsx';
import { SessionBadge } from './components/session-badge.tsx';
import { Summary } from './components/summary.tsx';
import { UploadForm } from './components/upload-form.tsx';
import { UploadList } from './components/upload-list.tsx';
import { formatClock } from './format.ts';
import { createListing } from './listing-source.ts';
import type { Live } from './live.ts';
import { useMay } from './session.ts';
import { texts } from './texts.ts';
import { transfer } from './transfer.ts';
import { createUploadQueue } from './upload-queue.ts';
import { useAnnouncement } from './use-announcement.ts';
import { useDetail } from './use-detail.ts';
import { useFileDrop } from './use-file-drop.ts';
import { useView } from './view.ts';

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

const useUploads = (live: Live) => {
  const [queue] = useState(() =>
    createUploadQueue(transfer, (ids) => {
      // The event may be late or lost; the uploader sees the image at once all the same.
      for (const id of ids) fetchImage(id).then(live.learn, () => undefined);
    }),
  );
  const uploads = useSyncExternalStore(queue.subscribe, queue.uploads);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (queue.isBusy()) event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [queue]);
  return { queue, uploads };
};

interface AppProps {
  readonly live: Live;
  readonly onSignOut: () => Promise<void>;
}

const ignore = () => undefined;

export const App = ({ live, onSignOut }: AppProps) => {
  const { view, filterBy, open, close } = useView();
  const connection = useSyncExternalStore(live.subscribeConnection, live.connection);
  const { state, label } = view;
  const source = useMemo(() => createListing(live, { state, label }), [live, state, label]);
  useEffect(() => source.open(), [source]);
  const listing = useSyncExternalStore(source.subscribe, source.listing);
  const detail = useDetail(live, connection, view.image, listing.images);
  const models = useModels(connection);
  const { queue, uploads } = useUploads(live);
  const mayUpload = useMay('upload');
  const over = useFileDrop(mayUpload ? queue.add : ignore);
  const announcement = useAnnouncement(live);
  const title = useRef<HTMLHeadingElement>(null);

  const onClose = useCallback(() => {
    close();
    // A deleted image has taken the card along that had the focus.
    if (document.activeElement === document.body) title.current?.focus();
  }, [close]);

  return (
    <>
      <a className="skip" href="#images">
        {texts.skipToImages}
      </a>
      <header className="top">
        <h1>
          <Logo className="logo" />
          <span>{texts.product}</span>
          <small>{texts.tagline}</small>
        </h1>
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
        {mayUpload ? (
          <UploadForm onFiles={queue.add} />
        ) : (
          <p className="upload">{texts.session.mayNotUpload}</p>
        )}
        <UploadList uploads={uploads} queue={queue} />
        <section className="images" aria-labelledby="images">
          <div className="images-head">
            <h2 id="images" ref={title} tabIndex={-1}>
              {texts.list.title}
            </h2>
            {listing.phase === 'ready' && <Summary images={listing.images} />}
            <FilterBar filter={listing.filter} models={models} onChange={filterBy} />
          </div>
          <Gallery
            listing={listing}
            onOpen={open}
            onRefresh={source.refresh}
            onMore={source.loadMore}
            onClearFilter={() => filterBy({ state: '', label: '' })}
          />
        </section>
      </main>
      <footer className="bottom">
        {models.map(({ name, version }) => (
          <span key={name}>{texts.footer.model(`${name} ${version}`)}</span>
        ))}
        <a href="docs">{texts.footer.docs}</a>
        <a href="openapi.json">{texts.footer.openapi}</a>
      </footer>
      <p className="visually-hidden" role="status" aria-live="polite">
        {announcement}
      </p>
      {detail.kind !== 'none' && <ImageDialog detail={detail} onClose={onClose} onChanged={source.refresh} />}
      {over && mayUpload && (
        <div className="drop" aria-hidden="true">
          <p>{texts.upload.drop}</p>
        </div>
      )}
    </>
  );
};
