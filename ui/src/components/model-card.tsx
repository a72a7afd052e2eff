import type { Model } from '../api.ts';
import { formatCount, formatFineShare } from '../format.ts';
import { texts } from '../texts.ts';
import { Facts, shorten } from './detail-facts.tsx';
import { Shares } from './detail-result.tsx';

const { system } = texts;

/** What a model does, how well, and on what that was measured. */
export const ModelCard = ({ model }: { model: Model }) => {
  const { name, version, digest, description, labels, licence, accuracy } = model;
  return (
    <section className="panel model-card">
      <h3>{system.model(`${name} ${version}`)}</h3>
      <p>{description}</p>
      <div className="model-parts">
        <Facts
          title={system.about}
          rows={[
            [
              system.accuracy,
              system.accuracyOn(formatFineShare(accuracy.overall), formatCount(accuracy.images)),
            ],
            [system.data, accuracy.data],
            [system.labels, labels.join(', ')],
            [system.digest, shorten(digest)],
            [system.licence, licence],
          ]}
        />
        <Shares title={system.perLabel} rows={Object.entries(accuracy.perLabel)} />
      </div>
    </section>
  );
};
