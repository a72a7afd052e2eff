import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockSizeOf, type CellSize, edgeAt, geometryOf, offsetOf } from './grid-geometry.ts';

const size: CellSize = { least: 10, aspect: 0.75, extra: 5, gap: 1 };
/** Three columns of 160 pixels, rows of 200 and a gap of 16. */
const wide = geometryOf({ width: 512, top: 300, rem: 16 }, size);
/** One column of 320 pixels, rows of 320 and the gap. */
const narrow = geometryOf({ width: 320, top: 450, rem: 16 }, size);

test('as many columns as fit share the width', () => {
  assert.deepEqual(wide, { columns: 3, width: 160, height: 200, gap: 16, top: 300 });
  assert.deepEqual(narrow, { columns: 1, width: 320, height: 320, gap: 16, top: 450 });
  assert.equal(blockSizeOf(wide, 7), 3 * 200 + 2 * 16);
  assert.equal(blockSizeOf(wide, 0), 0);
});

test('what is at the edge of the window leads back to the same pixel', () => {
  for (const offset of [300, 301, 515, 516, 3_000_077.5]) {
    assert.equal(offsetOf(wide, edgeAt(wide, offset)), offset);
  }
  assert.deepEqual(edgeAt(wide, 300 + 2 * 216 + 100), { index: 6, cut: 100, row: 216 });
});

test('while the list begins below the edge its first cell is there', () => {
  assert.deepEqual(edgeAt(wide, 120), { index: 0, cut: 0, row: 216 });
});

test('in rows of another number and height the same cell is there, cut to the same share', () => {
  const edge = edgeAt(wide, 300 + 2 * 216 + 108);
  assert.equal(offsetOf(narrow, edge), 450 + 6 * 336 + 168);
  assert.equal(offsetOf(wide, edgeAt(narrow, offsetOf(narrow, edge))), 300 + 2 * 216 + 108);
});
