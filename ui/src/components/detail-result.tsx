import type { Image } from '../api.ts';
import { formatFineShare } from '../format.ts';
import { texts } from '../texts.ts';

const Bar = ({ share }: { share: number }) => (
  <span className="bar" aria-hidden="true">
    <span className="bar-value" style={{ inlineSize: `${Math.min(1, Math.max(0, share)) * 100}%` }} />
  </span>
);

interface SharesProps {
  readonly title: string;
  readonly heading?: 'h3' | 'h4';
  readonly rows: readonly (readonly [label: string, share: number])[];
}

/** Labels with their shares as bars. */
export const Shares = ({ title, heading: Heading = 'h3', rows }: SharesProps) => (
  <section className="shares">
    <Heading>{title}</Heading>
    <dl>
      {rows.map(([label, share]) => (
        <div key={label} className="share">
          <dt>{label}</dt>
          <dd>{formatFineShare(share)}</dd>
          <Bar share={share} />
        </div>
      ))}
    </dl>
  </section>
);

/** What the model said of an image, or why it has said nothing. */
export const DetailResult = ({ image }: { image: Image }) => {
  const { state, result, error } = image;
  if (state === 'queued' || state === 'processing') {
    return <p className="verdict-waiting">{texts.detail.waiting[state]}</p>;
  }
  if (state !== 'succeeded' || !result) {
    return (
      <div className="verdict-fault" data-state={state}>
        <h3>{state === 'dead' ? texts.detail.deadTitle : texts.detail.failedTitle}</h3>
        <p>
          <bdi>{error?.message}</bdi> {error && <code>{error.code}</code>}
        </p>
      </div>
    );
  }
  const scores = Object.entries(result.scores).sort(([, a], [, b]) => b - a);
  return (
    <>
      <p className="verdict">
        <b>{result.label}</b> <span>{formatFineShare(result.confidence)}</span>
      </p>
      <Shares title={texts.detail.scores} rows={scores} />
      {result.top.length > 0 && (
        <Shares
          title={texts.detail.top}
          rows={result.top.map(({ label, score }) => [label, score] as const)}
        />
      )}
    </>
  );
};
