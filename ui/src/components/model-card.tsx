import type { ReactNode } from 'react';
import type { Model } from '../api.ts';
import { formatCount, formatFineShare } from '../format.ts';
import { texts } from '../texts.ts';
import { Digest, Facts } from './detail-facts.tsx';
import { Shares } from './detail-result.tsx';

const { system } = texts;

const Part = ({ title, children }: { title: string; children: ReactNode }) => (
  <section>
    <h4>{title}</h4>
    {children}
  </section>
);

const Points = ({ points }: { points: readonly string[] }) => (
  <ul>
    {points.map((point) => (
      <li key={point}>{point}</li>
    ))}
  </ul>
);

const mixOf = (mix: Readonly<Record<string, number>>): [string, number][] => {
  const sum = Object.values(mix).reduce((total, count) => total + count, 0);
  return Object.entries(mix).map(([label, count]) => [label, sum > 0 ? count / sum : 0]);
};

/**
 * What a model does and for what it is meant, where it goes wrong, how well it does and on what that was measured.
 * `folded`: it is one of several, and the details are opened one by one.
 */
export const ModelCard = ({ model, folded }: { model: Model; folded: boolean }) => {
  const { name, version, digest, description, labels, licence, input, classes, card, accuracy } = model;
  const parts = (
    <div className="model-parts">
      <Facts
        title={system.about}
        heading="h4"
        rows={[
          [system.labels, labels.join(', ')],
          [system.input, system.pixels(formatCount(input.width), formatCount(input.height))],
          ...(classes > 0 ? [[system.classes, formatCount(classes)] as const] : []),
          [system.digest, <Digest key="digest" digest={digest} />],
          [system.licence, licence],
          [
            system.accuracy,
            system.accuracyOn(formatFineShare(accuracy.overall), formatCount(accuracy.images)),
          ],
          [system.data, accuracy.data],
        ]}
      />
      <Shares title={system.perLabel} heading="h4" rows={Object.entries(accuracy.perLabel)} />
      {card?.labelMix && <Shares title={system.mix} heading="h4" rows={mixOf(card.labelMix)} />}
      {card && (
        <Part title={system.intendedUse}>
          <p>{card.intendedUse}</p>
        </Part>
      )}
      {card && card.limits.length > 0 && (
        <Part title={system.limitations}>
          <Points points={card.limits} />
        </Part>
      )}
      {card && card.trainingData.length > 0 && (
        <Part title={system.trainingData}>
          <Points points={card.trainingData} />
        </Part>
      )}
    </div>
  );
  return (
    <section className="panel model-card" data-folded={folded || undefined}>
      <h3>{system.model(`${name} ${version}`)}</h3>
      <p>{description}</p>
      {folded ? (
        <details>
          <summary>{system.more}</summary>
          {parts}
        </details>
      ) : (
        parts
      )}
    </section>
  );
};
