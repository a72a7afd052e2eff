import type { ReactNode } from 'react';
import type { Image } from '../api.ts';
import { formatBytes, formatCount, formatTime } from '../format.ts';
import { texts } from '../texts.ts';

const { detail } = texts;

/** The beginning of a digest; all of it in the tooltip. */
export const shorten = (digest: string) => {
  const hex = digest.replace(/^sha256:/, '');
  return (
    <code title={digest}>
      {hex.slice(0, 12)}
      {hex.length > 12 && '…'}
    </code>
  );
};

interface FactsProps {
  readonly title: string;
  readonly heading?: 'h3' | 'h4';
  readonly rows: readonly (readonly [string, ReactNode])[];
}

/** Names and their values, under a heading. */
export const Facts = ({ title, heading: Heading = 'h3', rows }: FactsProps) => (
  <section className="facts">
    <Heading>{title}</Heading>
    <dl>
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  </section>
);

const time = (iso: string) => <time dateTime={iso}>{formatTime(iso)}</time>;

/** The file, and the model that looked at it. */
export const DetailFacts = ({ image }: { image: Image }) => {
  const { result, width, height } = image;
  const file: [string, ReactNode][] = [
    [detail.type, image.contentType],
    ...(width !== null && height !== null
      ? [[detail.dimensions, `${formatCount(width)} × ${formatCount(height)}`] as [string, ReactNode]]
      : []),
    [detail.size, formatBytes(image.bytes)],
    [detail.uploaded, time(image.createdAt)],
    [detail.changed, time(image.updatedAt)],
    [detail.attempts, formatCount(image.attempts)],
    [detail.generation, formatCount(image.generation)],
    [detail.id, <code key="id">{image.id}</code>],
    [detail.sha256, shorten(image.sha256)],
  ];
  return (
    <>
      {result && (
        <Facts
          title={detail.model}
          rows={[
            [detail.modelName, result.model.name],
            [detail.version, result.model.version],
            [detail.digest, shorten(result.model.digest)],
          ]}
        />
      )}
      <Facts title={detail.file} rows={file} />
    </>
  );
};
