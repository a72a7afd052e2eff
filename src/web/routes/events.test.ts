import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWeb } from '../web.testing.ts';

const anId = '019b0000-0000-7000-8000-000000000000';

test('who does not take event streams is told as of any other mistake', async (t) => {
  const { app } = await openWeb(t);
  for (const url of ['/events', `/images/${anId}/events`]) {
    for (const accept of ['application/json', 'text/event-stream;q=0', 'image/*, text/html']) {
      const answer = await app.inject({ url, headers: { accept } });
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
      assert.equal(answer.headers['cache-control'], 'no-store');
      const { status, code, detail, title } = answer.json();
      assert.deepEqual([answer.statusCode, status, code], [406, 406, 'not-acceptable']);
      assert.equal(title, 'Not Acceptable');
      assert.match(detail, /text\/event-stream/);
    }
  }
  const missing = await app.inject({ url: `/images/${anId}/events`, headers: { accept: '*/*' } });
  assert.deepEqual([missing.statusCode, missing.json().code], [404, 'not-found']);
});
