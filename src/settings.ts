import {
  address,
  duration,
  file,
  folder,
  integer,
  type Kind,
  oneOf,
  origins,
  pem,
  proxies,
  secret,
  share,
  size,
  text,
  trueOrFalse,
} from './setting-kinds.ts';

interface Setting<T> {
  readonly kind: Kind<T>;
  /** As a user would write it; undefined = unset, or worked out as `description` says. */
  readonly default?: string;
  readonly description: string;
}
const setting = <T>(of: Kind<T>, fallback: string | undefined, description: string): Setting<T> => ({
  kind: of,
  ...(fallback === undefined ? {} : { default: fallback }),
  description,
});

/** Every setting, once. `maxFileBytes` is `--max-file-bytes` on the command line and GANTRY_MAX_FILE_BYTES in the environment. */
export const settings = {
  host: setting(text, '127.0.0.1', 'Address to listen on; 0.0.0.0 for every interface.'),
  port: setting(integer(0, 65535), '5000', 'Port to listen on; 0 takes a free one.'),
  dataDir: setting(folder, './data', 'Folder of the database and, unless set otherwise, of the images.'),
  imagesDir: setting(folder, undefined, 'Folder of the images. Unset: `images` in the data folder.'),
  databaseUrl: setting(
    address('a URL such as postgres://host/database', 'postgres', 'postgresql'),
    undefined,
    'PostgreSQL database. Unset: SQLite in the data folder. `?sslmode=verify-full` for TLS.',
  ),
  databaseUsername: setting(text, undefined, 'Instead of the one in the URL.'),
  databasePassword: setting(secret, undefined, 'Instead of the one in the URL.'),
  databaseCa: setting(pem, undefined, 'Certificates that the database server is checked against.'),
  databasePool: setting(integer(2, 1000), '10', 'Most connections of this process to the database.'),
  databaseTimeout: setting(duration(100), '15s', 'A statement that takes longer is given up.'),
  amqpUrl: setting(
    address('a URL such as amqp://user@host-1,host-2/vhost', 'amqp', 'amqps'),
    undefined,
    'RabbitMQ. Several hosts are tried in turn. Unset: a queue in this process, for `gantry serve` only.',
  ),
  amqpUsername: setting(text, undefined, 'Instead of the one in the URL.'),
  amqpPassword: setting(secret, undefined, 'Instead of the one in the URL.'),
  amqpCa: setting(pem, undefined, 'Certificates that the broker is checked against (amqps).'),
  s3Url: setting(
    address('a URL such as s3://bucket/prefix', 's3'),
    undefined,
    'Bucket of the images. Unset: the images folder. Credentials come from the AWS default chain.',
  ),
  s3Endpoint: setting(
    address('a URL such as http://minio:9000', 'http', 'https'),
    undefined,
    'S3 server other than AWS; the bucket then stands in the path.',
  ),
  s3Region: setting(text, 'us-east-1', 'Region of the bucket.'),
  model: setting(folder, 'models/pets', 'Model folder: a manifest.json and its ONNX file.'),
  workers: setting(integer(1, 1024), undefined, 'Inference processes. Unset: as many as there are cores.'),
  maxBatch: setting(integer(1, 256), '8', 'Most images one worker runs through the model at once.'),
  maxWaitMs: setting(duration(0, 86400e3), '0ms', 'How long an idle worker waits for a batch to fill up.'),
  jobDeadline: setting(
    duration(100),
    '30s',
    'A worker that takes longer over a batch is killed and the attempt failed.',
  ),
  maxAttempts: setting(
    integer(1, 100),
    '5',
    'Attempts an image gets before it is dead; 1 s, 10 s, then 60 s lie between them.',
  ),
  workerMemory: setting(size, '1GiB', 'A worker whose resident memory passes this is replaced.'),
  maxFileBytes: setting(size, '50MB', 'Largest file accepted.'),
  maxPixels: setting(
    integer(1, 1_000_000_000),
    '50000000',
    'Most pixels (width × height) a picture may have.',
  ),
  maxFiles: setting(integer(1, 10_000), '100', 'Most files in one upload request.'),
  maxBacklog: setting(integer(1, 1_000_000_000), '100000', 'Unfinished images beyond which uploads get 503.'),
  requestTimeout: setting(duration(1000), '5m', 'An upload that takes longer is cut off with 408.'),
  keepUploads: setting(
    duration(1000, 365 * 86400e3),
    '24h',
    'How long an unfinished resumable upload waits for its next bytes.',
  ),
  minFreeBytes: setting(size, '500MB', 'Free disk space below which uploads get 507.'),
  shutdownTimeout: setting(duration(100), '30s', 'How long each phase of a shutdown may take.'),
  sweepInterval: setting(duration(100), '30s', 'How often the store is checked for overdue images.'),
  overdueAfter: setting(
    duration(1000, 365 * 86400e3),
    '5m',
    'An unfinished image without news for this long may be queued again.',
  ),
  keepEvents: setting(
    duration(1000, 3650 * 86400e3),
    '7d',
    'How long events can be resumed and idempotency keys are honoured.',
  ),
  keepOriginals: setting(
    duration(1000, 36500 * 86400e3),
    undefined,
    'How long the originals of ended images are kept; result and thumbnail stay. Unset: for ever.',
  ),
  keepResults: setting(
    duration(1000, 36500 * 86400e3),
    undefined,
    'How long ended images are kept at all. Unset: for ever.',
  ),
  maxStoredBytes: setting(
    size,
    undefined,
    'Bytes of originals beyond which uploads get 507. Unset: no limit.',
  ),
  metricsPort: setting(
    integer(0, 65535),
    '9464',
    "Port of the consumer's /metrics, /healthz and /readyz; 0 takes a free one.",
  ),
  apiKeysFile: setting(
    file,
    undefined,
    'API keys, as `gantry keys create` writes them; only who has one gets in. Unset: access is open.',
  ),
  metricsOpen: setting(trueOrFalse, 'true', 'Whether /metrics wants no API key.'),
  corsOrigins: setting(origins, undefined, "Origins whose pages may use the API. Unset: this server's only."),
  trustedProxies: setting(
    proxies,
    undefined,
    'Proxies whose X-Forwarded-For, -Host and -Proto are believed. Unset: none.',
  ),
  logLevel: setting(
    oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
    'Least level logged.',
  ),
  logFormat: setting(oneOf('auto', 'pretty', 'json'), 'auto', 'auto: pretty on a terminal, JSON elsewhere.'),
  otlpUrl: setting(
    address('a URL such as http://collector:4318', 'http', 'https'),
    undefined,
    'Collector that traces are sent to (OTLP over HTTP). Unset: OTEL_EXPORTER_OTLP_ENDPOINT, or else no traces.',
  ),
  traceRatio: setting(
    share,
    '1',
    'Share of the traces beginning here that are sent. A request with a `traceparent` follows what that says.',
  ),
} as const;

export type SettingName = keyof typeof settings;
/** Settings whose default is to be off. */
type Optional =
  | 'databaseUrl'
  | 'databaseUsername'
  | 'databasePassword'
  | 'databaseCa'
  | 'amqpUrl'
  | 'amqpUsername'
  | 'amqpPassword'
  | 'amqpCa'
  | 's3Url'
  | 's3Endpoint'
  | 'keepOriginals'
  | 'keepResults'
  | 'maxStoredBytes'
  | 'apiKeysFile'
  | 'corsOrigins'
  | 'trustedProxies'
  | 'otlpUrl';
type Value<Name extends SettingName> = (typeof settings)[Name] extends Setting<infer T> ? T : never;
/** What each setting means once it is parsed. */
export type SettingValues = {
  [Name in SettingName]: Name extends Optional ? Value<Name> | undefined : Value<Name>;
};

export const settingNames = Object.keys(settings) as SettingName[];
/** `maxFileBytes` → `GANTRY_MAX_FILE_BYTES` */
export const environmentName = (name: SettingName): string =>
  `GANTRY_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
/** `maxFileBytes` → `--max-file-bytes` */
export const flagName = (name: SettingName): string =>
  `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Whether it is never given on the command line, which every user of the machine can read. */
export const isSecret = (name: SettingName): boolean => settings[name].kind === secret;

/** Every variable that gives a setting. */
export const settingVariables: ReadonlySet<string> = new Set(
  settingNames.flatMap((name) => [environmentName(name), `${environmentName(name)}_FILE`]),
);
