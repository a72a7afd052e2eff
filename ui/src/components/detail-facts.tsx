import type { ReactNode } from 'react';
import type { Image } from '../api.ts';
import { formatBytes, formatCount, formatTime } from '../format.ts';
import { texts } from '../texts.ts';

const { detail } = texts;

/** All of it: a tooltip would be for pointers only. */
export const Digest = ({ digest }: { digest: string }) => <code>{digest.replace(/^sha256:/, '')}</code>;

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
    [detail.sha256, <Digest key="sha256" digest={image.sha256} />],
  ];
  return (
    <>
      {result && (
        <Facts
          title={detail.model}
          rows={[
            [detail.modelName, result.model.name],
            [detail.version, result.model.version],
            [detail.digest, <Digest key="digest" digest={result.model.digest} />],
          ]}
        />
      )}
      <Facts title={detail.file} rows={file} />
    </>
  );
};
