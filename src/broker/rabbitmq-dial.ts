import type { Writable } from 'node:stream';
import { type ChannelModel, connect } from 'amqplib';
import type { RabbitAddress } from './rabbitmq-address.ts';
import { sendTogether } from './rabbitmq-packets.ts';

export interface Dial {
  /** Asked anew for each connection. */
  readonly address: () => RabbitAddress;
  /** Certificates in PEM that the broker is checked against (amqps), instead of the system's. */
  readonly ca?: string;
  /** Shown beside the connection in the broker's own pages. */
  readonly name: string;
  /** Limit of a connection's making, handshake included. */
  readonly connectTimeoutMs: number;
}

/** One connection, with its end in our own hands. */
export interface Line {
  readonly model: ChannelModel;
  /** Resolves, once, with why the connection is over. Never rejects. */
  readonly ended: Promise<string>;
  /** Closes the socket without another word, whatever state it is in. */
  destroy(reason: string): void;
}

export const messageOf = (error: unknown): string =>
  error instanceof Error
    ? // Several addresses of one name that all refuse: the message itself is empty then.
      error.message || (error as NodeJS.ErrnoException).code || error.name
    : String(error);

/** Connects to one host; rejects with what went wrong. */
export const dial = async (
  { address, ca, name, connectTimeoutMs }: Dial,
  { hostname, port }: RabbitAddress['hosts'][number],
  stop: AbortSignal,
): Promise<Line> => {
  // amqplib ends a socket but never destroys one: a peer that is gone would keep it open for long. The signal does.
  const socket = new AbortController();
  let why: string | undefined;
  const destroy = (reason: string): void => {
    why ??= reason;
    socket.abort();
  };
  const stopped = () => destroy('closing');
  const timer = setTimeout(() => destroy(`no answer within ${connectTimeoutMs} ms`), connectTimeoutMs);
  stop.addEventListener('abort', stopped, { once: true });
  const socketOptions = {
    signal: socket.signal,
    noDelay: true,
    keepAlive: true,
    keepAliveDelay: 30_000,
    clientProperties: { connection_name: name },
    ...(ca === undefined ? {} : { ca }),
  };
  try {
    const { protocol, username, password, vhost, heartbeatSeconds: heartbeat } = address();
    const model = await connect(
      {
        ...{ protocol, hostname, port, username, password, heartbeat },
        vhost: encodeURIComponent(vhost),
      },
      socketOptions,
    );
    // Not of amqplib's types, but there.
    sendTogether((model.connection as unknown as { readonly stream: Writable }).stream);
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    let cause: string | undefined;
    model.on('error', (error) => {
      cause = messageOf(error);
    });
    model.on('close', (error) => {
      socket.abort();
      resolve(why ?? cause ?? (error ? messageOf(error) : 'closed'));
    });
    return { model, ended, destroy };
  } catch (error) {
    // Also where only the handshake failed.
    socket.abort();
    throw new Error(why ?? messageOf(error), { cause: error });
  } finally {
    clearTimeout(timer);
    stop.removeEventListener('abort', stopped);
  }
};
