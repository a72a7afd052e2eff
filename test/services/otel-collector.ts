import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { freePorts } from './free-port.ts';
import { findProgram } from './program.ts';

/** As OTLP names it, in JSON. https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code?: number; readonly message?: string };
  /** `service.name` of the resource. */
  readonly service: string;
}

/** A real OpenTelemetry Collector of this test's own, on free ports of 127.0.0.1, that hands on what it takes. */
export interface Collector {
  /** Where it takes OTLP over HTTP. */
  readonly url: string;
  /** Every span that it was sent so far. */
  readonly spans: readonly Span[];
  /** Resolves once what it was sent satisfies; polls nothing, but looks at every arrival. Rejects after `limitMs`. */
  until(what: string, done: (spans: readonly Span[]) => boolean, limitMs?: number): Promise<void>;
  dispose(): Promise<void>;
}

const program = (): string | undefined => findProgram('otelcol', 'OTELCOL_PATH');

/** Why there is no Collector here, for a test's `skip`; false if there is one. */
export const collectorMissing = (): string | false =>
  program() === undefined
    ? 'there is no OpenTelemetry Collector (npm test builds it where there is Go)'
    : false;

type Value = Readonly<Record<string, unknown>>;
interface Attribute {
  readonly key: string;
  readonly value: Value;
}
interface Export {
  readonly resourceSpans?: readonly {
    readonly resource: { readonly attributes?: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<Span, 'attributes' | 'service'> & {
        attributes?: readonly Attribute[];
      })[];
    }[];
  }[];
}

const valuesOf = (attributes: readonly Attribute[] = []): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const spansOf = ({ resourceSpans = [] }: Export): Span[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(valuesOf(resource.attributes)['service.name']);
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        ...{ ...span, links: span.links ?? [], status: span.status ?? {} },
        ...{ attributes: valuesOf(span.attributes), service, parentSpanId: span.parentSpanId ?? '' },
      }));
  });

const settings = (port: number, receiver: string): string => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }
exporters:
  otlp_http: { endpoint: "${receiver}", encoding: json, compression: none, sending_queue: { enabled: false } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_http] } }
`;

/** Starts a Collector and resolves when it takes spans. */
export const startCollector = async (): Promise<Collector> => {
  const path = program();
  if (path === undefined) throw new Error(String(collectorMissing()));
  const spans: Span[] = [];
  const arrivals = new EventTarget();
  const receiver = createServer(async (request, response) => {
    spans.push(...spansOf((await json(request)) as Export));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    arrivals.dispatchEvent(new Event('spans'));
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const { port: receiverPort } = receiver.address() as AddressInfo;
  const [port = 0] = await freePorts(1);
  const dir = await mkdtemp(join(tmpdir(), 'gantry-collector-'));
  const config = join(dir, 'collector.yaml');
  await writeFile(config, settings(port, `http://127.0.0.1:${receiverPort}`));

  const child = spawn(path, ['--config', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.on('exit', kill);
  const exited = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    const said: string[] = [];
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      if (line.includes('Everything is ready')) resolve();
    });
    exited.then(
      ([code]) => reject(new Error(`the Collector ended with ${code}:\n${said.join('\n')}`)),
      reject,
    );
  });
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    async until(what, done, limitMs = 20_000) {
      const late = AbortSignal.timeout(limitMs);
      while (!done(spans)) {
        if (late.aborted) throw new Error(`${what} did not arrive within ${limitMs} ms`);
        await Promise.race([once(arrivals, 'spans'), once(late, 'abort')]);
      }
    },
    async dispose() {
      kill();
      await exited;
      process.off('exit', kill);
      receiver.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
