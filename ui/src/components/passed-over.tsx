import { formatCount } from '../format.ts';
import { texts } from '../texts.ts';
import { CloseIcon } from './icons.tsx';

/** Enough to see of which kind they are. */
const namesShown = 100;

interface PassedOverProps {
  readonly paths: readonly string[];
  readonly onDismiss: () => void;
}

/** How many files of folders were not sent, and which. */
export const PassedOver = ({ paths, onDismiss }: PassedOverProps) => {
  const count = paths.length;
  const shown = formatCount(count);
  const more = count - namesShown;
  return (
    <div className="passed-over">
      {count === 0 ? (
        <p>{texts.upload.nothingFound}</p>
      ) : (
        <details>
          <summary>{texts.upload.passedOver(count, shown)}</summary>
          <p>{texts.upload.passedOverWhy}</p>
          <ul>
            {paths.slice(0, namesShown).map((path) => (
              <li key={path}>
                <bdi>{path}</bdi>
              </li>
            ))}
          </ul>
          {more > 0 && <p>{texts.upload.passedOverMore(formatCount(more))}</p>}
        </details>
      )}
      <button
        type="button"
        className="button-icon"
        aria-label={texts.upload.forFile(texts.upload.dismiss, texts.upload.others(count, shown))}
        title={texts.upload.dismiss}
        onClick={onDismiss}
      >
        <CloseIcon />
      </button>
    </div>
  );
};
