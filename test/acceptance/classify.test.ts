import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accepted, ended, fetch, fixture, serverUnderTest } from './target.ts';

const server = serverUnderTest();

const pictures: [path: string, contentType: string, label: string][] = [
  ['dogs/golden_retriever.jpg', 'image/jpeg', 'dog'],
  ['dogs/german_shepherd.webp', 'image/webp', 'dog'],
  ['dogs/german_shepherd_head.jpg', 'image/jpeg', 'dog'],
  ['cats/chelsea.png', 'image/png', 'cat'],
  ['cats/tabby_lying.jpg', 'image/jpeg', 'cat'],
  ['cats/kitten_yarn.webp', 'image/webp', 'cat'],
  ['cats/ginger_kitten.jpg', 'image/jpeg', 'cat'],
  ['others/horses_herd.webp', 'image/webp', 'other'],
  ['others/horse_crop.jpg', 'image/jpeg', 'other'],
  ['others/horse_silhouette.png', 'image/png', 'other'],
  ['others/cow.webp', 'image/webp', 'other'],
  ['others/red_panda.jpg', 'image/jpeg', 'other'],
  ['odd/dog_exif_orientation6.jpg', 'image/jpeg', 'dog'],
  ['odd/dog_cmyk.jpg', 'image/jpeg', 'dog'],
  ['odd/cat_gray16.png', 'image/png', 'cat'],
  ['odd/cat.avif', 'image/avif', 'cat'],
  // Only the first frame or page counts.
  ['odd/dog_then_cat_animated.gif', 'image/gif', 'dog'],
  ['odd/cat_then_dog_animated.webp', 'image/webp', 'cat'],
  ['odd/dog_then_cat_multipage.tiff', 'image/tiff', 'dog'],
];

for (const [path, contentType, label] of pictures) {
  test(`${path} is a ${label}`, async () => {
    const image = await ended(server.url, await accepted(server.url, path));
    assert.equal(image.state, 'succeeded', JSON.stringify(image.error));
    assert.equal(image.result?.label, label, JSON.stringify(image.result?.scores));
    assert.equal(image.contentType, contentType);
    assert.ok(image.result.confidence > 0.5 && image.result.confidence <= 1);
    assert.equal(image.result.scores[label], image.result.confidence);
    assert.equal(image.result.top.length, 5);
    assert.equal(image.result.attempts, 1);
    assert.ok((image.width ?? 0) > 0 && (image.height ?? 0) > 0);
  });
}

test('a picture that the camera turned is upright: width and height as shown, and so its thumbnail', async () => {
  const turned = await ended(server.url, await accepted(server.url, 'odd/dog_exif_orientation6.jpg'));
  const upright = await ended(server.url, await accepted(server.url, 'dogs/german_shepherd.webp'));
  assert.ok((turned.width ?? 0) > (turned.height ?? 0));
  assert.equal(
    Math.round((10 * (turned.width ?? 0)) / (turned.height ?? 1)),
    Math.round((10 * (upright.width ?? 0)) / (upright.height ?? 1)),
  );
});

test('original and thumbnail can be fetched', async () => {
  const bytes = await fixture('cats/chelsea.png');
  const id = await accepted(server.url, 'cats/chelsea.png');
  await ended(server.url, id);
  const original = await fetch(`${server.url}/images/${id}/original`);
  assert.equal(original.headers.get('content-type'), 'image/png');
  assert.equal(original.headers.get('x-content-type-options'), 'nosniff');
  assert.deepEqual(Buffer.from(await original.arrayBuffer()), bytes);
  const etag = original.headers.get('etag') ?? '';
  const again = await fetch(`${server.url}/images/${id}/original`, { headers: { 'if-none-match': etag } });
  assert.equal(again.status, 304);
  const answer = await fetch(`${server.url}/images/${id}/thumbnail`);
  assert.equal(answer.headers.get('content-type'), 'image/jpeg');
  const thumbnail = Buffer.from(await answer.arrayBuffer());
  assert.deepEqual([...thumbnail.subarray(0, 3)], [0xff, 0xd8, 0xff]);
  assert.ok(thumbnail.length <= 16 * 1024);
});
