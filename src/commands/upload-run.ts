import { ClientError, type GantryClient, type Image, persistently } from '../client/client.ts';
import { ConfigError, duration, integer } from '../setting-kinds.ts';
import { begunUploads, begunUploadsFolder } from './begun-uploads.ts';
import { absentHint, type Connection, connect, serverUrl } from './connection.ts';
import { awaitEndings } from './endings.ts';
import { watchOutage } from './outage.ts';
import { stopOnSignals } from './stop-on-signals.ts';
import { bytesText, counted, plain } from './texts.ts';
import { type SendContext, type Sending, sendFile } from './upload-file.ts';
import { createReport, type Report } from './upload-report.ts';
import { findSources, type Source, stdin } from './upload-sources.ts';

export interface UploadOptions extends Connection {
  readonly concurrency: string;
  readonly patience: string;
  readonly again?: true;
  readonly wait?: true;
  readonly timeout?: string;
  readonly name: string;
  readonly json?: true;
}

/** A server that was never there is not waited for as long as one that went away. */
const firstPatienceMs = 10_000;

const parsed = <T>(flag: string, kind: { parse(text: string): T }, text: string): T => {
  try {
    return kind.parse(text);
  } catch (cause) {
    throw new ConfigError(`${flag} ${(cause as Error).message}`, { cause });
  }
};

/** What the server takes, and whether it may be asked what it has: with a key that may only upload it may not. */
const introduce = async (
  server: GantryClient,
  report: Report,
  signal: AbortSignal,
): Promise<{ maxFileBytes: number; mayRead: boolean }> => {
  const outage = watchOutage(firstPatienceMs, report.tell, absentHint);
  try {
    const either = AbortSignal.any([signal, outage.over]);
    const { limits } = await persistently(() => server.system(signal), either, outage.failed);
    outage.worked();
    return { maxFileBytes: limits.maxFileBytes, mayRead: true };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.code === 'scope-missing') return { maxFileBytes: Number.POSITIVE_INFINITY, mayRead: false };
    throw error;
  }
};

/** Sends all files, `concurrency` at once, in their order; stops at what every further one would meet, too. */
const sendAll = async (
  files: readonly Source[],
  concurrency: number,
  send: (source: Source) => Promise<Sending>,
  stop: AbortSignal,
): Promise<{ sent: (Sending | undefined)[]; fault: unknown }> => {
  const sent: (Sending | undefined)[] = [];
  let fault: unknown;
  const queue = files.entries();
  const worker = async (): Promise<void> => {
    for (const [index, source] of queue) {
      if (stop.aborted || fault !== undefined) return;
      try {
        sent[index] = await send(source);
      } catch (error) {
        fault ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { sent, fault };
};

const leave = ({ path: file }: Source, fault: unknown): Sending => ({
  ...{ file, outcome: 'left', id: null, sha256: null, image: null },
  error: fault instanceof ClientError ? { code: fault.code, message: fault.message } : null,
});

const waitForAll = async (
  server: GantryClient,
  sendings: readonly Sending[],
  report: Report,
  signal: AbortSignal,
): Promise<Map<string, Image | null>> => {
  const images = new Map<string, Image | null>();
  const ids = new Set(sendings.flatMap(({ id }) => (id === null ? [] : [id])));
  const { ended } = report.wait(ids.size);
  let lost = false;
  await awaitEndings(server, ids, {
    signal,
    onEnd(id, image) {
      images.set(id, image);
      ended(image?.state === 'succeeded');
    },
    onLost({ message }) {
      if (!lost) report.tell(`${message}; waiting for it (Ctrl-C stops)`);
      lost = true;
    },
  });
  return images;
};

/** Of the files that were broken off in the middle, what the server has already; empty if there is none. */
const halfway = (kept: ReadonlyMap<Source, number>): string => {
  const partly = [...kept].filter(([, bytes]) => bytes > 0);
  const [first] = partly;
  if (first === undefined) return '';
  const which = partly.length === 1 ? plain(first[0].path) : counted(partly.length, 'file');
  const total = partly.reduce((sum, [source]) => sum + source.bytes, 0);
  const there = partly.reduce((sum, [, bytes]) => sum + bytes, 0);
  return `, in the middle of ${which}, too: ${bytesText(there)} of ${bytesText(total)} are with the server`;
};

/** What a person may want to know, or to do, now. */
const nextSteps = (
  sendings: readonly Sending[],
  images: ReadonlyMap<string, Image | null>,
  { waited, kept }: { waited: boolean; kept: ReadonlyMap<Source, number> },
): string[] => {
  const ended = (state: Image['state']): number =>
    [...images.values()].filter((image) => image?.state === state).length;
  const sent = (outcome: Sending['outcome']): number =>
    sendings.filter((sending) => sending.outcome === outcome).length;
  const unfinished = waited ? sendings.filter(({ id }) => id !== null && !images.has(id)).length : 0;
  const steps: [count: number, step: string][] = [
    [ended('dead'), 'dead: gantry dead-letters list says why, gantry dead-letters replay --all tries again'],
    [ended('failed'), 'failed: mend the files, and the same command uploads what has changed'],
    [unfinished, 'still on the way: the server goes on, and gantry watch shows it'],
    [sent('left'), `not uploaded: the same command goes on where it stopped${halfway(kept)}`],
    [
      !waited && process.stderr.isTTY ? sent('accepted') : 0,
      'on the way: gantry images list shows what they become',
    ],
  ];
  return steps.filter(([count]) => count > 0).map(([count, step]) => `${count} ${step}`);
};

/**
 * `gantry upload`: exit code 0 if every file is with the server (and, with `--wait`, has a result), 1 if not, 130 after
 * Ctrl-C. Throws ConfigError for wrong usage, ClientError for what no file gets past.
 */
export const upload = async (paths: readonly string[], options: UploadOptions): Promise<void> => {
  const concurrency = parsed('--concurrency', integer(1, 64), options.concurrency);
  const patienceMs = parsed('--patience', duration(0), options.patience);
  const { timeout } = options;
  if (timeout !== undefined && !options.wait) throw new ConfigError('--timeout makes sense only with --wait');
  const timeoutMs = timeout === undefined ? undefined : parsed('--timeout', duration(100), timeout);
  const server = connect(options);
  let phase: 'before' | 'sending' | 'waiting' = 'before';
  const { stop, breakOff } = stopOnSignals(() => {
    // Nothing has been sent yet, and a server that is away, or a pipe, may take its time.
    if (phase === 'before') process.exit(130);
    if (phase === 'sending') {
      report.tell('Stopping: uploads on their way come to their end; Ctrl-C again breaks them off');
    }
  });
  const { files, passedOver } = await findSources(paths, options.name);
  const report = createReport(files, { json: options.json === true, wait: options.wait === true });
  if (passedOver > 0) {
    const which = `${counted(passedOver, 'file')} not named as pictures are`;
    report.tell(`Passed over: ${which}; name such a file itself to upload it`);
  }
  if (files.length === 0) throw new ConfigError('there is no picture to upload');

  const { maxFileBytes, mayRead } = await introduce(server, report, stop);
  phase = 'sending';
  if (!mayRead) {
    if (options.wait) throw new ConfigError('--wait needs an API key that may read');
    report.tell('This API key may only upload, so files that the server has already are uploaded again');
  }
  const kept = new Map<Source, number>();
  const context: SendContext = {
    ...{ server, stop, breakOff, maxFileBytes },
    serverUrl: new URL(serverUrl(options.url)).href,
    begun: begunUploads(begunUploadsFolder(), report.tell),
    outage: watchOutage(patienceMs, report.tell),
    recognise: mayRead && !options.again,
    underway: new Map(),
    onSent: report.sent,
    onKept(source, bytes) {
      // What comes from a pipe cannot be had again.
      if (source.path !== stdin) kept.set(source, bytes);
      report.kept(source, bytes);
    },
  };
  const send = async (source: Source): Promise<Sending> => {
    const sending = await sendFile(source, context);
    if (sending.outcome !== 'left') report.finished(source, sending);
    return sending;
  };
  const over = AbortSignal.any([stop, context.outage.over]);
  const { sent, fault } = await sendAll(files, concurrency, send, over);
  const sendings = files.map((source, index): Sending => {
    const sending = sent[index] ?? leave(source, fault);
    if (sending.outcome !== 'left') kept.delete(source);
    else report.finished(source, sending);
    return sending;
  });

  let images: ReadonlyMap<string, Image | null> = new Map();
  phase = 'waiting';
  if (options.wait) {
    const limits = timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)];
    images = await waitForAll(server, sendings, report, AbortSignal.any([stop, ...limits]));
    report.results(sendings, images);
  }
  report.summary(sendings, images);
  for (const line of nextSteps(sendings, images, { waited: options.wait === true, kept })) report.tell(line);
  const fine = ({ outcome, id }: Sending): boolean =>
    options.wait
      ? images.get(id ?? '')?.state === 'succeeded'
      : outcome === 'accepted' || outcome === 'known';
  if (!sendings.every(fine)) process.exitCode = 1;
  if (stop.aborted) process.exitCode = 130;
  else if (fault !== undefined) throw fault;
};
