import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { KeyRing } from '../access/key-ring.ts';
import type { Blobs } from '../blobs/blobs.ts';
import type { Logger } from '../observability/log.ts';
import type { WebMetrics } from '../observability/web-metrics.ts';
import type { Dispatch } from '../pipeline/dispatch.ts';
import type { Finish } from '../pipeline/finish.ts';
import type { Submit } from '../pipeline/submit.ts';
import type { Store } from '../store/store.ts';
import type { Admission } from './admission.ts';
import type { EventFeed } from './event-feed.ts';
import type { ModelInfo } from './model-info.ts';
import type { System } from './system.ts';

/** What the web server works with; it knows ports, never drivers. */
export interface WebContext {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly submit: Submit;
  /** Makes the image of an upload in parts. */
  readonly finish: Finish;
  readonly dispatch: Dispatch;
  /** Jobs wait in the outbox that nobody is publishing. */
  readonly queued: () => void;
  readonly admission: Admission;
  readonly feed: EventFeed;
  /** The store has new events. */
  readonly changed: () => void;
  readonly metrics: WebMetrics;
  /** Brings gauges up to date before a scrape. */
  readonly observe: () => Promise<void>;
  /** What runs here, and how it is. */
  readonly system: () => Promise<System>;
  readonly log: Logger;
  readonly version: string;
  /** Models that images are processed with; the first one is the default. */
  readonly models: readonly [ModelInfo, ...ModelInfo[]];
  readonly limits: {
    maxFileBytes: number;
    maxFiles: number;
    requestTimeoutMs: number;
    /** How long an unfinished upload waits for its next bytes. */
    keepUploadsMs: number;
  };
  readonly access: {
    /** Where it listens. */
    readonly host: string;
    /** Undefined: everything is open. */
    readonly keys: KeyRing | undefined;
    /** Whether /metrics is open all the same. */
    readonly metricsOpen: boolean;
    /** Origins whose pages may use the API. */
    readonly corsOrigins: readonly string[];
    /** Proxies that are believed whose request they forward. */
    readonly trustedProxies: readonly string[];
  };
  /** True once a shutdown began: no longer ready. */
  readonly draining: () => boolean;
}

/** Fastify with the types of the routes' TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;
