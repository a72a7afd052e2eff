import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];

test('a traceparent is read, and written as it was', () => {
  for (const flags of ['00', '01', 'ff']) {
    const given = `00-${trace}-${span}-${flags}`;
    const context = parseTraceparent(given);
    assert.deepEqual(context, {
      traceId: trace,
      spanId: span,
      traceFlags: Number.parseInt(flags, 16),
      isRemote: true,
    });
    assert.equal(context && formatTraceparent(context), given);
  }
});

test('of a later version what is known is read', () => {
  for (const later of [`01-${trace}-${span}-01`, `cc-${trace}-${span}-01-what-will-be`])
    assert.deepEqual(parseTraceparent(later), {
      traceId: trace,
      spanId: span,
      traceFlags: 1,
      isRemote: true,
    });
});

test('what is none is none', () => {
  for (const given of [
    ...[
      undefined,
      7,
      '',
      'x',
      `00-${trace}-${span}`,
      `00-${trace}-${span}-01-more`,
      ` 00-${trace}-${span}-01`,
    ],
    ...[
      `ff-${trace}-${span}-01`,
      `01-${trace}-${span}-01more`,
      `1-${trace}-${span}-01`,
      `00-${trace.toUpperCase()}-${span}-01`,
    ],
    // All zeros are invalid, section 3.2.2.3 and 3.2.2.4.
    ...[`00-${'0'.repeat(32)}-${span}-01`, `00-${trace}-${'0'.repeat(16)}-01`],
  ])
    assert.equal(parseTraceparent(given), undefined, String(given));
});
