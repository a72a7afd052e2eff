import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/** Which way bytes travel: from whoever connected to the server behind the proxy, or back. */
export type Direction = 'toServer' | 'toClient';
/** Looks at what came one way on one connection; sees again what a trap of its own may have been split across. */
export type Predicate = (bytes: Buffer) => boolean;

/** A TCP proxy whose connections can be made to fail in the ways that networks do. */
export interface TcpProxy {
  readonly port: number;
  /** Connections open at the client's side. */
  readonly connections: number;
  /** Bytes that have been handed on in this direction so far. */
  passed(direction: Direction): number;
  /** Resets every connection at both ends (RST). */
  cut(): void;
  /** Nothing moves any more, both ways; connections stay open, new ones are taken and stall too. Nothing is lost. */
  stall(): void;
  resume(): void;
  /**
   * The connections open now go dead for good: what either end sends vanishes, and neither learns of the other's end.
   * New connections work. Returns how to reset the dead ones, as keepalives would do one day.
   */
  halfOpen(): () => void;
  /** Whether new connections are reset at once. */
  refuse(on: boolean): void;
  /**
   * Cuts the first connection on which `matches` is true, once the matching bytes were handed on. Resolves true when
   * that has happened, false if it was disarmed first.
   */
  cutAfter(direction: Direction, matches: Predicate): Promise<boolean>;
  /** As `cutAfter`, but the matching bytes (and what came in one piece with them) never arrive. */
  cutBefore(direction: Direction, matches: Predicate): Promise<boolean>;
  /** Forgets every `cutAfter` and `cutBefore` that has not fired. */
  disarm(): void;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

interface Trap {
  readonly direction: Direction;
  readonly forward: boolean;
  readonly matches: Predicate;
  readonly resolve: (fired: boolean) => void;
  /** The last bytes of each connection, for a match that comes in two pieces. */
  readonly tails: WeakMap<Connection, Buffer>;
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  dead: boolean;
}

/** Longer than what any predicate looks for. */
const tailBytes = 256;

const springs = (trap: Trap, connection: Connection, bytes: Buffer): boolean => {
  const seen = Buffer.concat([trap.tails.get(connection) ?? Buffer.alloc(0), bytes]);
  trap.tails.set(connection, seen.subarray(-tailBytes));
  return trap.matches(seen);
};

/** RST. Node never closes a socket that is told to while its FIN is under way, and then spins at its own exit. */
const reset = (socket: Socket): void => {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
};

/** Listens on a free port of 127.0.0.1 and passes every connection on to `target`. */
export const startProxy = async (target: { host: string; port: number }): Promise<TcpProxy> => {
  const open = new Set<Connection>();
  const traps = new Set<Trap>();
  let stalled = false;
  let refusing = false;
  const passed: Record<Direction, number> = { toServer: 0, toClient: 0 };

  const resetBoth = ({ client, server }: Connection): void => {
    reset(client);
    reset(server);
  };

  const take = (connection: Connection, direction: Direction, bytes: Buffer): void => {
    if (connection.dead) return;
    const [from, to] =
      direction === 'toServer'
        ? [connection.client, connection.server]
        : [connection.server, connection.client];
    const trap = [...traps].find((one) => one.direction === direction && springs(one, connection, bytes));
    if (trap === undefined || trap.forward) passed[direction] += bytes.length;
    if (trap === undefined) {
      if (!to.write(bytes)) from.pause();
      return;
    }
    traps.delete(trap);
    connection.dead = true;
    reset(from);
    // FIN comes after the bytes; RST could overtake them.
    if (trap.forward) to.end(bytes);
    else reset(to);
    trap.resolve(true);
  };

  const join = (connection: Connection, direction: Direction): void => {
    const [from, to] =
      direction === 'toServer'
        ? [connection.client, connection.server]
        : [connection.server, connection.client];
    from.on('data', (bytes) => take(connection, direction, bytes as Buffer));
    to.on('drain', () => {
      if (!stalled) from.resume();
    });
    from.on('end', () => {
      if (connection.dead) from.destroy();
      else to.end();
    });
    from.on('error', () => {
      if (!connection.dead) reset(to);
    });
    from.on('close', () => {
      if (connection.client.destroyed && connection.server.destroyed) open.delete(connection);
    });
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    if (refusing) {
      reset(client);
      return;
    }
    const server = createConnection({ ...target, allowHalfOpen: true, noDelay: true });
    const connection: Connection = { client, server, dead: false };
    open.add(connection);
    join(connection, 'toServer');
    join(connection, 'toClient');
    if (stalled) {
      client.pause();
      server.pause();
    }
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const trap = (direction: Direction, forward: boolean, matches: Predicate): Promise<boolean> =>
    new Promise((resolve) => {
      traps.add({ direction, forward, matches, resolve, tails: new WeakMap() });
    });
  const disarm = (): void => {
    for (const { resolve } of traps) resolve(false);
    traps.clear();
  };

  return {
    port: (listener.address() as AddressInfo).port,
    get connections() {
      return [...open].filter(({ client }) => !client.destroyed).length;
    },
    passed: (direction) => passed[direction],
    cut() {
      for (const connection of open) resetBoth(connection);
    },
    stall() {
      stalled = true;
      for (const { client, server } of open) {
        client.pause();
        server.pause();
      }
    },
    resume() {
      stalled = false;
      for (const { client, server } of open) {
        client.resume();
        server.resume();
      }
    },
    halfOpen() {
      const lost = [...open];
      for (const connection of lost) {
        connection.dead = true;
        connection.client.resume();
        connection.server.resume();
      }
      return () => lost.forEach(resetBoth);
    },
    refuse(on) {
      refusing = on;
    },
    cutAfter: (direction, matches) => trap(direction, true, matches),
    cutBefore: (direction, matches) => trap(direction, false, matches),
    disarm,
    async close() {
      disarm();
      const closed = once(listener, 'close');
      listener.close();
      for (const connection of open) resetBoth(connection);
      await closed;
    },
  };
};
