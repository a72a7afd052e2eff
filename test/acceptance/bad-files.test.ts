import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import {
  ended,
  fetch,
  fixture,
  type ImageJson,
  json,
  nextPictureWorks,
  type ProblemJson,
  problem,
  serverUnderTest,
  type UploadJson,
  upload,
} from './target.ts';

const server = serverUnderTest();
nextPictureWorks(server);

const refusedFiles: [
  what: string,
  name: string,
  bytes: () => Promise<Buffer<ArrayBuffer>>,
  status: number,
  code: string,
][] = [
  ['zero bytes', 'empty.jpg', async () => Buffer.alloc(0), 400, 'empty-file'],
  ['text named .jpg', 'cat.jpg', async () => Buffer.from('meow\n'.repeat(5000)), 415, 'unsupported-type'],
  ['one byte', 'a.png', async () => Buffer.from('x'), 415, 'unsupported-type'],
  [
    'an SVG with a script',
    'cat.svg',
    async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    415,
    'unsupported-type',
  ],
  [
    'a PDF that has a JPEG behind it',
    'cat.jpg',
    async () => Buffer.concat([Buffer.from('%PDF-1.7\n'), await fixture('dogs/golden_retriever.jpg')]),
    415,
    'unsupported-type',
  ],
  ['HEIC', 'cat.heic', () => fixture('odd/cat.heic'), 415, 'unsupported-type'],
];
for (const [what, name, bytes, status, code] of refusedFiles) {
  test(`refused at once: ${what}`, async () => {
    await problem(
      await upload(server.url, [{ name, bytes: await bytes(), type: 'image/jpeg' }]),
      status,
      code,
    );
  });
}

/** A PNG chunk: length, type, data, CRC-32 (PNG specification, section 5.3). */
const pngChunk = (type: string, data: Buffer): Buffer => {
  const body = Buffer.concat([Buffer.from(type), data]);
  let crc = 0xffffffff;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE((crc ^ 0xffffffff) >>> 0);
  return Buffer.concat([length, body, sum]);
};
/** A one-coloured grey PNG of any size; it compresses to next to nothing. */
const png = (width: number, height: number): Buffer<ArrayBuffer> => {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc((width + 1) * height));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    pngChunk('IHDR', header),
    pngChunk('IDAT', rows),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
};

const failing: [
  what: string,
  name: string,
  bytes: () => Promise<Buffer<ArrayBuffer>>,
  code: string,
  message: RegExp,
][] = [
  ['a JPEG cut off in the middle', 'half.jpg', () => fixture('odd/dog_truncated.jpg'), 'undecodable', /./],
  [
    'a PNG bomb of 200 megapixels',
    'bomb.png',
    async () => png(20_000, 10_000),
    'too-many-pixels',
    /50000000/,
  ],
  [
    'a GIF whose frame is larger than itself says',
    'bomb.gif',
    () => fixture('odd/decompression_bomb.gif'),
    'undecodable',
    /./,
  ],
  [
    'a PNG whose data are noise',
    'noise.png',
    async () => Buffer.concat([png(64, 64).subarray(0, 60), Buffer.alloc(500, 7)]),
    'undecodable',
    /./,
  ],
];
for (const [what, name, bytes, code, message] of failing) {
  test(`accepted, then failed with its reason: ${what}`, async () => {
    const body = await json<UploadJson>(await upload(server.url, [{ name, bytes: await bytes() }]));
    const image = await ended(server.url, body.correlationId);
    assert.equal(image.state, 'failed', JSON.stringify(image));
    assert.equal(image.error?.code, code);
    assert.match(image.error.message, message);
    assert.equal(image.attempts, 1, 'the picture is at fault: no second attempt');
  });
}

test('a strip 70,000 pixels wide ends one way or the other', async () => {
  const body = await json<UploadJson>(
    await upload(server.url, [{ name: 'strip.png', bytes: png(70_000, 3) }]),
  );
  const image = await ended(server.url, body.correlationId);
  assert.ok(image.state === 'succeeded' || image.state === 'failed', JSON.stringify(image));
});

test('a JPEG with a ZIP behind it is a JPEG, and served as nothing else', async () => {
  const bytes = Buffer.concat([
    await fixture('dogs/golden_retriever.jpg'),
    Buffer.from('PK\x03\x04<script>alert(1)</script>'),
  ]);
  const body = await json<UploadJson>(
    await upload(server.url, [{ name: 'x.html', bytes, type: 'text/html' }]),
  );
  const image = await ended(server.url, body.correlationId);
  assert.equal(image.result?.label, 'dog');
  const original = await fetch(`${server.url}/images/${image.id}/original`);
  assert.equal(original.headers.get('content-type'), 'image/jpeg');
  assert.match(original.headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/);
});

test('a file above the limit is refused, and its neighbour taken', async () => {
  const jpeg = await fixture('dogs/golden_retriever.jpg');
  const large = Buffer.concat([jpeg, Buffer.alloc(50_000_001 - jpeg.length)]);
  const response = await upload(server.url, [
    { name: 'large.jpg', bytes: large },
    { name: 'small.jpg', bytes: jpeg },
  ]);
  const body = await json<UploadJson>(response);
  assert.equal(response.status, 202);
  assert.deepEqual(
    body.images.map(({ filename }) => filename),
    ['small.jpg'],
  );
  assert.deepEqual(
    body.refused?.map(({ filename, status, code }) => [filename, status, code]),
    [['large.jpg', 413, 'file-too-large']],
  );
  assert.match(body.refused?.[0]?.detail ?? '', /50000000/);
});

test('several files, none of them an image: refused, each with its reason', async () => {
  const response = await upload(server.url, [
    { name: 'a.txt', bytes: Buffer.from('a') },
    { name: 'b.txt', bytes: Buffer.alloc(0) },
  ]);
  const body = (await problem(response, 415, 'unsupported-type')) as ProblemJson & { refused: unknown[] };
  assert.equal(body.refused.length, 2);
});

const names: [what: string, name: string, shown: RegExp][] = [
  ['a path', '../../../etc/passwd', /^passwd$/],
  ['a Windows path', 'C:\\Users\\x\\cat.png', /^cat\.png$/],
  ['4 KB', `${'n'.repeat(4096)}.png`, /^n{255}$/],
  ['right-to-left marks', 'cat\u202egnp.exe', /^catgnp\.exe$/],
  ['markup', '<img src=x onerror=alert(1)>.png', /^<img src=x onerror=alert\(1\)>\.png$/],
  ['another script', '猫 – Kätzchen.png', /^猫 – Kätzchen\.png$/],
];
for (const [what, name, shown] of names) {
  test(`a file name with ${what} is harmless`, async () => {
    const response = await upload(server.url, [{ name, bytes: await fixture('cats/chelsea.png') }]);
    const { images } = await json<UploadJson>(response);
    assert.match(images[0]?.filename ?? '', shown);
    const image = await json<ImageJson>(await fetch(`${server.url}${images[0]?.url}`));
    assert.match(image.filename, shown);
    const original = await fetch(`${server.url}${images[0]?.url}/original`);
    assert.equal(original.status, 200);
    await original.arrayBuffer();
  });
}
