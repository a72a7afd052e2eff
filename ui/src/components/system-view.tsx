import { type ReactNode, useRef } from 'react';
import { fetchSystem, type System } from '../api.ts';
import { formatBytes, formatCount, formatDuration, formatTime } from '../format.ts';
import type { Live } from '../live.ts';
import { texts } from '../texts.ts';
import { useKeptFocus } from '../use-kept-focus.ts';
import { usePolled } from '../use-polled.ts';
import { Facts } from './detail-facts.tsx';
import { ModelCard } from './model-card.tsx';
import { Notice } from './notice.tsx';
import { Stale } from './stale.tsx';

const { system } = texts;
const polling = { everyMs: 5_000 };

const yesNo = (words: { yes: string; no: string }, value: boolean) => words[value ? 'yes' : 'no'];

const Server = ({ about }: { about: System }) => (
  <Facts
    title={system.server}
    rows={[
      [system.version, about.version],
      [system.role, system.roles[about.role]],
      [system.node, about.node],
      [
        system.started,
        <time key="started" dateTime={about.startedAt}>
          {formatTime(about.startedAt)}
        </time>,
      ],
      [system.keys, yesNo(system.keysWanted, about.access.keys)],
    ]}
  />
);

const outboxText = ({ rows, oldestAt }: System['outbox']): string => {
  if (rows === null) return system.unknown;
  if (rows === 0) return system.outboxEmpty;
  const age = oldestAt ? Math.max(0, Date.now() - Date.parse(oldestAt)) : 0;
  return system.outboxRows(rows, formatCount(rows), formatDuration(age));
};

const Storage = ({ about: { store, blobs, outbox } }: { about: System }) => (
  <Facts
    title={system.storage}
    rows={[
      [system.store, system.stores[store.kind]],
      [system.blobs, system.blobKinds[blobs.kind]],
      ...(blobs.kind === 'filesystem'
        ? [[system.free, blobs.freeBytes === null ? system.unknown : formatBytes(blobs.freeBytes)] as const]
        : []),
      [system.outbox, outboxText(outbox)],
    ]}
  />
);

const Queues = ({ about: { broker } }: { about: System }) => (
  <section className="facts queues">
    <h3>{system.queues}</h3>
    <p data-connected={broker.connected}>
      {system.brokers[broker.kind]}
      {broker.kind === 'rabbitmq' && `, ${yesNo(system.connected, broker.connected)}`}
    </p>
    {broker.queues ? (
      <table>
        <thead>
          <tr>
            <th scope="col">{system.queue}</th>
            <th scope="col">{system.ready}</th>
            <th scope="col">{system.consumers}</th>
          </tr>
        </thead>
        <tbody>
          {broker.queues.map(({ name, ready, consumers }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{formatCount(ready)}</td>
              <td>{consumers === null ? '–' : formatCount(consumers)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    ) : (
      <p>{system.unknown}</p>
    )}
  </section>
);

const Limits = ({ about: { limits } }: { about: System }) => (
  <Facts
    title={system.limits}
    rows={[
      [system.fileSize, formatBytes(limits.maxFileBytes)],
      [system.files, formatCount(limits.maxFiles)],
      [system.types, limits.acceptedTypes.join(', ')],
    ]}
  />
);

const Panel = ({ wide = false, children }: { wide?: boolean; children: ReactNode }) => (
  <div className={wide ? 'panel panel-wide' : 'panel'}>{children}</div>
);

/** What runs here, how it is, and the models with what they can and cannot do. */
export const SystemView = ({ live }: { live: Live }) => {
  const about = usePolled(fetchSystem, live, polling);
  const { value, fault, refresh } = about;
  const section = useRef<HTMLElement>(null);
  const title = useRef<HTMLHeadingElement>(null);
  const keptFocus = useKeptFocus(section, () => title.current);
  return (
    <section ref={section} className="system" aria-labelledby="title" {...keptFocus}>
      <h2 ref={title} id="title" tabIndex={-1}>
        {system.title}
      </h2>
      <Stale polled={about} urgent />
      {!value && fault === null && <p role="status">{system.loading}</p>}
      {!value && fault !== null && (
        <Notice title={system.faultTitle} text={fault.reason} urgent>
          <button type="button" className="button" onClick={refresh}>
            {system.retry}
          </button>
        </Notice>
      )}
      {value && (
        <div className="panels">
          <Panel>
            <Queues about={value} />
          </Panel>
          <Panel>
            <Server about={value} />
          </Panel>
          <Panel>
            <Storage about={value} />
          </Panel>
          <Panel wide>
            <Limits about={value} />
          </Panel>
          {value.models.map((model) => (
            <ModelCard key={model.digest} model={model} folded={value.models.length > 1} />
          ))}
        </div>
      )}
    </section>
  );
};
