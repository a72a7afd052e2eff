import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeter, leftMs } from './upload-meter.ts';

test('the rate is that of the last seconds, and unknown at first', () => {
  const meter = createMeter();
  assert.equal(meter.rate(0, 0), null);
  assert.equal(meter.rate(500, 500), null);
  assert.equal(meter.rate(2000, 1000), 2000);
  for (let at = 2000; at <= 10_000; at += 1000) meter.rate(2000, at);
  assert.equal(meter.rate(2000, 11_000), 0, 'nothing has moved for eight seconds');
  meter.reset();
  assert.equal(meter.rate(2000, 11_500), null);
});

test('an upload that is cancelled takes its bytes along: the rate is never negative', () => {
  const meter = createMeter();
  meter.rate(0, 0);
  assert.equal(meter.rate(4000, 2000), 2000);
  assert.equal(meter.rate(1000, 3000), null);
  assert.equal(meter.rate(3000, 5000), 1000);
});

test('what is left takes as long as the rate says, or nobody knows', () => {
  assert.equal(leftMs(3000, 1500), 2000);
  assert.equal(leftMs(3000, 0), null);
  assert.equal(leftMs(3000, null), null);
});
