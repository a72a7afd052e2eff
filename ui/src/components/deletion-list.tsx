import { useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { type Deletion, type Deletions, DeletionsContext } from '../deletions.ts';
import { texts } from '../texts.ts';
import { inDialog } from './in-dialog.tsx';

const { deletion: words } = texts;

interface RowProps {
  readonly deletion: Deletion;
  readonly deletions: Deletions;
  /** A dialog is open, and keeps the focus. */
  readonly modal: boolean;
}

const Row = ({ deletion, deletions, modal }: RowProps) => {
  const { id, name, phase, reason } = deletion;
  const undo = useRef<HTMLButtonElement>(null);
  // What was pressed is gone with the image; the way back is the likeliest next key.
  useEffect(() => {
    if (!modal) undo.current?.focus();
  }, [modal]);
  return (
    <li className="toast" data-phase={phase}>
      <p>
        <bdi>{reason === null ? words.soon(name) : words.fault(name, reason)}</bdi>
      </p>
      {phase === 'waiting' && (
        <button
          ref={undo}
          type="button"
          className="button button-small"
          aria-label={words.undoOf(name)}
          onClick={() => deletions.undo(id)}
        >
          {words.undo}
        </button>
      )}
      {phase === 'failed' && (
        <button type="button" className="button button-small" onClick={() => deletions.dismiss(id)}>
          {words.dismiss}
        </button>
      )}
      {phase === 'waiting' && <span className="toast-time" aria-hidden="true" />}
    </li>
  );
};

interface DeletionListProps {
  /** The open dialog: what is beside it can be neither pressed nor heard. */
  readonly dialog: HTMLElement | null;
  readonly onEmpty: () => void;
}

/** What is about to be deleted, each with a way to keep it. Ctrl+Z keeps the last one. */
export const DeletionList = ({ dialog, onEmpty }: DeletionListProps) => {
  const deletions = useContext(DeletionsContext);
  const all = useSyncExternalStore(deletions.subscribe, deletions.deletions);
  const [said, setSaid] = useState('');
  const before = useRef(all);

  useEffect(() => {
    const added = all.find((one) => !before.current.some(({ id }) => id === one.id));
    const left = before.current.find((one) => !all.some(({ id }) => id === one.id));
    if (added) setSaid(words.soon(added.name));
    else if (left) setSaid(left.phase === 'asked' ? words.done(left.name) : words.kept(left.name));
    // The button that had the focus is gone.
    if (left && document.activeElement === document.body) onEmpty();
    before.current = all;
  }, [all, onEmpty]);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      const last = deletions.deletions().findLast(({ phase }) => phase === 'waiting');
      const typing = event.target instanceof HTMLInputElement;
      if (!last || typing || event.key !== 'z' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      deletions.undo(last.id);
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [deletions]);

  return inDialog(
    dialog,
    <>
      <p className="visually-hidden" role="status">
        {said}
      </p>
      {all.length > 0 && (
        <section
          className="toasts"
          aria-label={words.title}
          onPointerEnter={deletions.hold}
          onPointerLeave={deletions.resume}
        >
          <ul>
            {all.map((deletion) => (
              <Row key={deletion.id} deletion={deletion} deletions={deletions} modal={dialog !== null} />
            ))}
          </ul>
        </section>
      )}
    </>,
  );
};
