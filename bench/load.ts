import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { percentile, rounded } from './pictures.ts';
import { descendantsOf, processorMs } from './processes.ts';

/** A request's body, made once: building it anew would take processor time from the server under load. */
export interface Body {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Each picture as a form with the one field `image`. */
export const forms = (pictures: readonly Buffer[]): Body[] => {
  const boundary = 'gantry-benchmark-boundary';
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="picture.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`;
  return pictures.map((picture) => ({
    type: `multipart/form-data; boundary=${boundary}`,
    bytes: Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  }));
};

export interface Client {
  /** Resolves with the answer's text; rejects unless its status is a 2xx. */
  post(body: Body): Promise<string>;
  close(): void;
}

/** Posts to one address over at most so many connections, all kept open. */
export const connect = (url: string, connections: number): Client => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const post = ({ type, bytes }: Body): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': type, 'content-length': bytes.length };
      const sent = request(url, { agent, method: 'POST', headers, timeout: 60_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('error', reject).once('end', () => {
          if (Math.floor((response.statusCode ?? 0) / 100) === 2) resolve(text);
          else reject(new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 300)}`));
        });
      });
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // The server closed a connection that it thought idle just as it was used again: once more, on another.
        if (sent.reusedSocket && error.code === 'ECONNRESET') post({ type, bytes }).then(resolve, reject);
        else reject(error);
      });
      sent.once('timeout', () => sent.destroy(new Error(`${url} did not answer within a minute`)));
      sent.end(bytes);
    });
  return { post, close: () => agent.destroy() };
};

export interface Measured {
  /** Milliseconds that each took. */
  readonly took: readonly number[];
  readonly perSecond: number;
  /** Processor time (ms) for each, of every process that this one has started, RabbitMQ's and PostgreSQL's among them. */
  readonly cost: number;
}

/** Measures `work`, which resolves with how long (ms) each of what it was about took. */
export const measure = async (work: () => Promise<readonly number[]>): Promise<Measured> => {
  const used = async (): Promise<number> => processorMs(await descendantsOf(process.pid));
  const [before, start] = [await used(), performance.now()];
  const took = await work();
  const perSecond = (1000 * took.length) / (performance.now() - start);
  return { took, perSecond, cost: ((await used()) - before) / took.length };
};

type Work = (n: number) => Promise<unknown>;

/** So many at once, each followed by the next while there are `more`, or until one fails. */
const closedLoop = async (atOnce: number, more: (n: number) => boolean, work: Work): Promise<number[]> => {
  const took: number[] = [];
  let begun = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed && more(begun)) {
      const began = performance.now();
      await work(begun++).catch((error) => {
        failed = true;
        throw error;
      });
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return took;
};

/** Closed loop for so many milliseconds. */
export const keepBusy = (atOnce: number, ms: number, work: Work): Promise<Measured> =>
  measure(() => {
    const start = performance.now();
    return closedLoop(atOnce, () => performance.now() - start < ms, work);
  });

/** Closed loop over so many. */
export const getThrough = (count: number, atOnce: number, work: Work): Promise<Measured> =>
  measure(() => closedLoop(atOnce, (n) => n < count, work));

/** When they come, in milliseconds from the start: independent of each other, as users are (a Poisson process). */
export const arrivals = (perSecond: number, seconds: number, random: () => number): number[] => {
  const times: number[] = [];
  let at = 0;
  while (at < seconds * 1000) {
    times.push(at);
    at += (1000 / perSecond) * -Math.log(1 - random());
  }
  return times;
};

/**
 * Open loop: each begins at its time, whether or not those before it are done, and what it took counts from that
 * time. A server that stalls is charged for all that came meanwhile.
 */
export const arrive = (times: readonly number[], work: Work): Promise<Measured> =>
  measure(() => {
    const start = performance.now();
    const one = async (at: number, n: number): Promise<number> => {
      await sleep(Math.max(1, start + at - performance.now()));
      await work(n);
      return performance.now() - start - at;
    };
    return Promise.all(times.map(one));
  });

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** The least and the greatest of the rounds, to be shown beside their median. */
export const spread = (values: readonly number[], digits = 1): string =>
  `${rounded(Math.min(...values), digits)} to ${rounded(Math.max(...values), digits)}`;
