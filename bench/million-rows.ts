/** The one number that two rows of the same place share in both databases: a hash of the place, 0 to 999. */
const shuffled = (n: string): string => `((${n} * 7919) % 1000)`;

/** Images lie minutes apart over the year 2025 (a million: 31.5 s); the newest 15 % are unfinished. */
const from = Date.UTC(2025, 0, 1);
const year = 365 * 86_400_000;

/** What the two databases say differently. */
export interface Dialect {
  /** A table `numbers(n)`, 0 to count - 1, to select from. */
  numbers(count: number): string;
  /** UUIDv7 of a time in ms and a number that makes it unique. */
  id(ms: string, n: string): string;
  /** Text padded with zeros to a width. */
  hex(number: string, width: number): string;
}

export const sqliteDialect: Dialect = {
  numbers: (count) =>
    `(with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n < ${count - 1}) select n from numbers) as numbers`,
  id: (ms, n) => `printf('%08x-%04x-7000-8000-%012x', (${ms}) >> 16, (${ms}) & 65535, ${n})`,
  hex: (number, width) => `printf('%0${width}x', ${number})`,
};

export const postgresDialect: Dialect = {
  numbers: (count) => `(select generate_series(0, ${count - 1})::bigint as n) as numbers`,
  id: (ms, n) =>
    `lpad(to_hex((${ms}) >> 16), 8, '0') || '-' || lpad(to_hex((${ms}) & 65535), 4, '0') || '-7000-8000-' || lpad(to_hex(${n}), 12, '0')`,
  hex: (number, width) => `lpad(to_hex(${number}), ${width}, '0')`,
};

/** Time of the nth of so many images. */
export const timeOfNth = (n: number, count: number): number => from + Math.floor((year / count) * n);

/** Its hash as {@link fill} makes it: in no order, as hashes are. */
export const hashOfNth = (n: number): string =>
  [(n * 2654435761) % 4294967296, n * 31, n * 97, n * 7]
    .map((number) => number.toString(16).padStart(16, '0'))
    .join('');

/** Names a few of which a search is to find. */
const filename = (n: string): string => `
  case when ${n} % 200000 = 77777 then 'needle in a haystack ' else '' end ||
  case ${n} % 4 when 0 then 'IMG_' when 1 then 'holiday at the sea, ' when 2 then 'DSC0' else 'scan-2025-' end ||
  ${n} || case ${n} % 3 when 0 then '.JPG' else '.jpeg' end`;

const label = (n: string): string =>
  `case when ${n} % 100000 = 5 then 'zebra' when ${shuffled(n)} < 450 then 'dog' when ${shuffled(n)} < 800 then 'cat' else 'other' end`;

const result = (n: string): string => `
  '{"label":"' || ${label(n)} || '","confidence":0.9' || ${n} ||
  ',"scores":{"cat":0.0312' || ${n} || ',"dog":0.9521' || ${n} || ',"other":0.0166' || ${n} || '},"top":[' ||
  '{"label":"golden retriever","score":0.61' || ${n} || '},{"label":"Labrador retriever","score":0.18' || ${n} ||
  '},{"label":"kuvasz","score":0.05' || ${n} || '},{"label":"Tibetan mastiff","score":0.02' || ${n} ||
  '},{"label":"tennis ball","score":0.01' || ${n} || '}],"model":{"name":"pets","version":"1.0.0","digest":"sha256:' ||
  '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"},"timings":{"waitMs":182.4,"fetchMs":1.9' ||
  ',"decodeMs":11.2,"inferMs":64.7},"attempts":1}'`;

/**
 * Statements that fill an empty store with `count` images: 85 % final (of these 95 % succeeded, 4 % failed, 1 % dead; the
 * older half without their originals), 10 % in the outbox as after an outage of the broker, 5 % with the broker, of
 * which 64 are being worked on. With `allFinal` nothing is unfinished.
 */
export const fill = (dialect: Dialect, count: number, allFinal = false): string[] => {
  const ms = `(${from} + cast(n * ${year / count} as bigint))`;
  const [ended, published] = allFinal ? [count, count] : [Math.floor(count * 0.85), Math.floor(count * 0.9)];
  const final = `n < ${ended}`;
  const inOutbox = `n >= ${published}`;
  const state = `
    case when not (${final}) and n >= ${published - 64} and n < ${published} then 'processing'
      when not (${final}) then 'queued'
      when ${shuffled('n')} % 100 < 4 then 'failed' when ${shuffled('n')} % 100 < 5 then 'dead' else 'succeeded' end`;
  const numbers = dialect.numbers(count);
  const succeeded = `select *, ${state} as state, ${ms} as ms from ${numbers}`;
  return [
    `insert into images (id, state, filename, filename_folded, content_type, bytes, sha256, blob, width, height, pipeline,
       generation, attempts, label, error_code, error_message, created_at, submitted_at, updated_at, waiting_since, result)
     select id, state, filename, lower(filename), 'image/jpeg', 40000 + n % 400000, sha256,
       case when n < ${Math.floor(count * 0.43)} then '' else '2025/11/23/' || id || '.jpg' end,
       case when ${final} then 1024 end, case when ${final} then 768 end, 'pets', 1,
       case when ${final} then 1 else 0 end, case when state = 'succeeded' then ${label('n')} end,
       case when state = 'failed' then 'undecodable' when state = 'dead' then 'deadline-exceeded' end,
       case when state in ('failed', 'dead') then 'the picture is broken' end,
       ms, ms, ms + 900, case when not (${final}) then ms + 900 end, case when state = 'succeeded' then ${result('n')} end
     from (select n, ms, state, ${dialect.id('ms', 'n')} as id, ${filename('n')} as filename,
         ${['(n * 2654435761) % 4294967296', 'n * 31', 'n * 97', 'n * 7'].map((number) => dialect.hex(number, 16)).join(' || ')} as sha256
       from (${succeeded}) as numbered) as made`,
    `insert into outbox (image_id, generation, due_at)
     select ${dialect.id('ms', 'n')}, 1, ms from (select n, ${ms} as ms from ${numbers} where ${inOutbox}) as late`,
    `insert into results (image_id, generation, model_digest, attempt, result, recorded_at)
     select id, 1, 'sha256:1', 1, result, updated_at from images where state = 'succeeded'`,
    // As many as there are at most before they are merged, if something happens in every second.
    `insert into counts (at, kind, name, n)
     select ${Math.floor(Date.now() / 1000) * 1000} - n * 1000, kind, name, 10 from ${dialect.numbers(330)},
       (select 'accepted' as kind, '' as name union select 'finished', '' union select 'state', 'queued' union
        select 'state', 'processing' union select 'state', 'succeeded' union select 'state', 'failed' union
        select 'label', 'dog' union select 'label', 'cat' union select 'label', 'other') as kinds
     where kind in ('accepted', 'finished') or n < 30`,
    `insert into events (image_id, type, image, at)
     select id, state, result, updated_at from images where id > ${dialect.id(String(timeOfNth(0.84 * count, count)), '0')} order by id`,
  ];
};
