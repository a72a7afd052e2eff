import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PublishError } from '../broker/broker.ts';
import { jobOf, newImage } from './jobs.testing.ts';
import { outcomesIn, parseReport } from './message.ts';
import { tellEnded } from './tell-ended.ts';

const error = { code: 'undecodable', message: 'cut off' };
const failed = { kind: 'failed', error, picture: null } as const;

/** What gathers the IDs in each message. */
const telling = (publish: () => Promise<void> = async () => undefined) => {
  const messages: string[][] = [];
  const tell = tellEnded({
    publish: (_, body, properties) => {
      const report = parseReport(body);
      assert.ok(report.kind !== 'processing');
      assert.equal(properties?.correlationId, report.id);
      messages.push(outcomesIn(report).map(({ id }) => id));
      return publish();
    },
  });
  return { tell, messages };
};
const jobs = (count: number) => Array.from({ length: count }, () => jobOf(newImage()));
const ids = (of: readonly { id: string }[]) => of.map(({ id }) => id);

test('what ends in one turn travels in one message, of no more than sixteen outcomes', async () => {
  const { tell, messages } = telling();
  const [alone, ...many] = jobs(19);
  await tell(alone ?? assert.fail(), failed);
  assert.deepEqual(messages.splice(0), [[alone?.id]]);
  await Promise.all(many.map((job) => tell(job, failed)));
  assert.deepEqual(messages, [ids(many.slice(0, 16)), ids(many.slice(16))]);
});

test('a traced one travels alone', async () => {
  const { tell, messages } = telling();
  const [one, other, traced] = jobs(3);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await Promise.all([
    tell(one ?? assert.fail(), failed),
    tell({ ...(traced ?? assert.fail()), traceparent }, failed),
    tell(other ?? assert.fail(), failed),
  ]);
  assert.deepEqual(messages, [[traced?.id], [one?.id, other?.id]]);
});

test('a message that the broker does not take is told to all that were in it, and to nobody else', async () => {
  let fail = true;
  const { tell } = telling(async () => {
    if (fail) throw new PublishError('timed-out', 'no confirm');
  });
  const settled = await Promise.allSettled(jobs(3).map((job) => tell(job, failed)));
  assert.deepEqual(
    settled.map((one) => one.status === 'rejected' && one.reason.code),
    ['timed-out', 'timed-out', 'timed-out'],
  );
  fail = false;
  await tell(jobs(1)[0] ?? assert.fail(), failed);
});
