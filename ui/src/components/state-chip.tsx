import type { Image } from '../api.ts';
import { formatShare } from '../format.ts';
import { texts } from '../texts.ts';

/**
 * The state in a word or two: `Queued`, `dog 98 %`, `Failed: …`; `brief` leaves the reason out. Colour only repeats
 * what the words say.
 */
export const StateChip = ({ image, brief = false }: { image: Image; brief?: boolean }) => {
  const { state, result, error } = image;
  const reason = !brief && (state === 'failed' || state === 'dead') ? error?.message : undefined;
  return (
    <span className={`chip chip-${state}`} data-state={state} title={reason}>
      <span className="chip-mark" aria-hidden="true" />
      {state === 'succeeded' && result ? (
        <span className="chip-text">
          <b>{result.label}</b> {formatShare(result.confidence)}
        </span>
      ) : (
        <span className="chip-text">
          {reason && (state === 'failed' || state === 'dead') ? (
            <>
              <b>{texts.chip[state]}</b> {reason}
            </>
          ) : (
            texts.states[state]
          )}
        </span>
      )}
    </span>
  );
};
