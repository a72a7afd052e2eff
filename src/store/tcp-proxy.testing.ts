import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/** A proxy on 127.0.0.1 that breaks connections as networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Bytes are swallowed from now on, in both directions, and nobody is told. */
  stall(): void;
  /** The next connection whose client says `text` is cut: the server hears it, the client never gets the answer. */
  cutAnswerTo(text: string): void;
  close(): void;
}

export const startTcpProxy = async (target: number): Promise<TcpProxy> => {
  const sockets = new Set<Socket>();
  let stalled = false;
  let cut: string | undefined;
  const server = createServer((client) => {
    const upstream = createConnection(target, '127.0.0.1');
    let mute = false;
    const destroy = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket)).on('error', destroy);
    }
    client.on('data', (data) => {
      if (stalled) return;
      if (cut !== undefined && data.includes(cut)) {
        cut = undefined;
        mute = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (mute) destroy();
      else if (!stalled) client.write(data);
    });
    client.on('end', () => upstream.end());
    upstream.on('end', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    stall() {
      stalled = true;
    },
    cutAnswerTo(text) {
      cut = text;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};
