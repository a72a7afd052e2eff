/** Where the broker is and who asks. Not for logs: it holds the password. */
export interface RabbitAddress {
  readonly protocol: 'amqp' | 'amqps';
  /** Tried in turn; at least one. `hostname` of an IPv6 address is without brackets. */
  readonly hosts: readonly { readonly hostname: string; readonly port: number }[];
  readonly vhost: string;
  readonly username: string;
  readonly password: string;
  /** 0: none. */
  readonly heartbeatSeconds: number;
}

/** The address is no `amqp://user:password@host:5672,host:5672/vhost?heartbeat=10`. Says nothing of what it is. */
export class AddressError extends Error {
  readonly code = 'invalid-address';
}

const defaultPorts = { amqp: 5672, amqps: 5671 };

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new AddressError('the AMQP URL has a % that begins no escape', { cause });
  }
};

const hostOf = (text: string, defaultPort: number): RabbitAddress['hosts'][number] => {
  const [, bracketed, plain, port = String(defaultPort)] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]/?#@\s]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const hostname = bracketed ?? (plain === undefined ? undefined : decoded(plain));
  if (hostname === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new AddressError('the AMQP URL has a host that is none');
  }
  return { hostname, port: Number(port) };
};

/**
 * Reads an AMQP URI (RabbitMQ URI specification; several hosts, separated by commas, are our addition). What is
 * missing: guest, guest, localhost, the protocol's port, virtual host `/`. `given` comes before what the URL says.
 * Throws {@link AddressError}.
 */
export const parseAmqpUrl = (
  url: string,
  given: { username?: string; password?: string; heartbeatSeconds: number },
): RabbitAddress => {
  const [, scheme = '', user, secret, hosts = '', path = '', query = ''] =
    /^(amqps?):\/\/(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(url) ??
    [];
  const protocol = scheme.toLowerCase();
  if (protocol !== 'amqp' && protocol !== 'amqps') {
    throw new AddressError('the AMQP URL is not like amqp://user:password@host:5672/vhost');
  }
  const heartbeat = new URLSearchParams(query).get('heartbeat');
  if (heartbeat !== null && !/^\d{1,5}$/.test(heartbeat)) {
    throw new AddressError('the heartbeat in the AMQP URL is no number of seconds');
  }
  return {
    protocol,
    hosts: (hosts || 'localhost').split(',').map((host) => hostOf(host.trim(), defaultPorts[protocol])),
    vhost: decoded(path) || '/',
    username: given.username ?? (user ? decoded(user) : 'guest'),
    password: given.password ?? (secret === undefined ? (user ? '' : 'guest') : decoded(secret)),
    heartbeatSeconds: heartbeat === null ? given.heartbeatSeconds : Number(heartbeat),
  };
};
