import { useContext, useRef, useState } from 'react';
import { type Image, replay, replayAll } from '../api.ts';
import { DeletionsContext, useLeaving } from '../deletions.ts';
import { formatCount, formatTime } from '../format.ts';
import { indexOf, type Listing, slotAt } from '../listing.ts';
import { describeFault, type ListingSource } from '../listing-source.ts';
import { useMay } from '../session.ts';
import { texts } from '../texts.ts';
import { useKeptFocus } from '../use-kept-focus.ts';
import { openImage, viewUrl } from '../view.ts';
import { ActionButton } from './action-button.tsx';
import { Skeletons } from './gallery.tsx';
import { Thumbnail } from './image-card.tsx';
import { onPlainClick } from './link.tsx';
import { Notice } from './notice.tsx';
import { type CellSize, VirtualGrid } from './virtual-grid.tsx';

const { dead } = texts;

/** Does something once, and says why it could not be done. */
const useAction = (onDone: () => void) => {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState('');
  const act = async (action: () => Promise<unknown>) => {
    setBusy(true);
    setFault('');
    try {
      await action();
      onDone();
    } catch (error) {
      setFault(describeFault(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, fault, act };
};

const Letter = ({ image, onChanged }: { image: Image; onChanged: () => void }) => {
  const { busy, fault, act } = useAction(onChanged);
  const mayChange = useMay('admin');
  const leaving = useLeaving(useContext(DeletionsContext)).has(image.id);
  const name = image.filename || texts.list.unnamed;
  const { state, error, attempts, generation, updatedAt } = image;
  return (
    <div className="letter" data-image={image.id} data-state={state} data-leaving={leaving || undefined}>
      <span className="letter-picture">
        <Thumbnail image={image} />
      </span>
      <a
        className="letter-name"
        href={viewUrl({ place: 'dead-letters', image: image.id })}
        title={name}
        onClick={onPlainClick(() => openImage(image.id))}
      >
        <bdi>{name}</bdi>
      </a>
      <p className="letter-reason" title={error?.message}>
        {state === 'dead' ? (
          <>
            <bdi>{error?.message ?? dead.noReason}</bdi> {error && <code>{error.code}</code>}
          </>
        ) : (
          texts.states[state]
        )}
      </p>
      <p className="letter-facts">
        <span>{dead.attempts(attempts, formatCount(attempts))}</span>
        {generation > 1 && <span>{dead.run(formatCount(generation))}</span>}
        <time dateTime={updatedAt}>
          {dead.died} {formatTime(updatedAt)}
        </time>
      </p>
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
      {mayChange && (
        <ActionButton
          className="button button-small letter-replay"
          idle={busy || leaving || state !== 'dead'}
          onClick={() => act(() => replay(image.id))}
        >
          {texts.list.replay}
          <span className="visually-hidden">: {name}</span>
        </ActionButton>
      )}
    </div>
  );
};

const ReplayAll = ({ count, onChanged }: { count: number; onChanged: () => void }) => {
  const { busy, fault, act } = useAction(onChanged);
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState('');
  const all = async () => {
    const replayed = await replayAll();
    setAsking(false);
    setSaid(dead.replayed(replayed, formatCount(replayed)));
  };
  const shown = formatCount(count);
  return (
    <div className="replay-all">
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
      {asking ? (
        <fieldset>
          <legend>{dead.confirmAll(count, shown)}</legend>
          <ActionButton className="button" idle={busy} onClick={() => setAsking(false)}>
            {dead.keep}
          </ActionButton>
          <ActionButton className="button button-main" idle={busy} onClick={() => act(all)}>
            {dead.replayAll(count, shown)}
          </ActionButton>
        </fieldset>
      ) : (
        count > 0 && (
          <button type="button" className="button button-main" onClick={() => setAsking(true)}>
            {dead.replayAll(count, shown)}
          </button>
        )
      )}
      <span role="status">{said}</span>
    </div>
  );
};

const letterSize = (): CellSize =>
  window.matchMedia('(width < 40rem)').matches
    ? { least: 100, aspect: 0, extra: 11.5, gap: 0.6 }
    : { least: 100, aspect: 0, extra: 6, gap: 0.6 };

interface DeadLettersViewProps {
  readonly listing: Listing;
  readonly source: ListingSource;
  readonly active: string | null;
  /** How many there are; null while nobody knows. */
  readonly total: number | null;
}

const Letters = ({ listing, source, active }: Omit<DeadLettersViewProps, 'total'>) => {
  const { phase, count, next, fault } = listing;
  if (phase === 'loading') return <Skeletons text={dead.loading} className="letters" />;
  if (phase === 'failed') {
    return (
      <Notice title={dead.faultTitle} text={fault ?? undefined} urgent>
        <button type="button" className="button" onClick={source.refresh}>
          {texts.list.retry}
        </button>
      </Notice>
    );
  }
  if (count === 0) return <Notice title={dead.emptyTitle} text={dead.emptyText} />;
  return (
    <VirtualGrid
      className="letters"
      label={dead.title}
      size={letterSize}
      count={count}
      more={next !== null}
      keyOf={(index) => {
        const slot = slotAt(listing, index);
        return slot.kind === 'image' ? slot.image.id : `${index}`;
      }}
      indexOf={(key) => indexOf(listing, key)}
      cell={(index) => {
        const slot = slotAt(listing, index);
        if (slot.kind === 'image') return <Letter image={slot.image} onChanged={source.refresh} />;
        return <p className="card-gone">{slot.kind === 'gone' ? texts.list.gone : ''}</p>;
      }}
      onShow={source.show}
      active={active}
    />
  );
};

/** Images whose every attempt failed: why, how often, since when; and their replay. */
export const DeadLettersView = ({ listing, source, active, total }: DeadLettersViewProps) => {
  const mayChange = useMay('admin');
  const section = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const keptFocus = useKeptFocus(section, () => title.current);
  const count = total ?? (listing.next === null ? listing.count : 0);
  return (
    <section ref={section} className="images" aria-labelledby="title" {...keptFocus}>
      <div className="images-head">
        <h2 ref={title} id="title" tabIndex={-1}>
          {dead.title}
        </h2>
        <p className="about">{dead.about}</p>
        {mayChange && <ReplayAll count={count} onChanged={source.refresh} />}
      </div>
      <Letters listing={listing} source={source} active={active} />
    </section>
  );
};
