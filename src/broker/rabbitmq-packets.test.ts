import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { sendTogether } from './rabbitmq-packets.ts';

test('what is written in one go leaves in one go, and soon', async () => {
  const packets: string[][] = [];
  const stream = new Writable({
    writev(chunks, callback) {
      packets.push(chunks.map(({ chunk }) => String(chunk)));
      callback();
    },
  });
  sendTogether(stream);
  for (const frame of ['a', 'b', 'c']) stream.write(frame);
  await turn();
  stream.write('d');
  await turn();
  stream.write('e');
  stream.end('f');
  await turn();
  assert.deepEqual(packets, [['a', 'b', 'c'], ['d'], ['e', 'f']]);
});
