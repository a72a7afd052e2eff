import assert from 'node:assert/strict';
import { test } from 'node:test';
import { postgresMissing } from '../services/postgres.ts';
import { rabbitMqMissing } from '../services/rabbitmq.ts';
import { everyKind, runChaos } from './chaos/chaos.ts';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);

// The short form of `npm run test:resilience`: each kind of fault once.
test('whatever is killed, cut off, filled up or wiped: nothing accepted is lost or done twice', {
  skip: rabbitMqMissing() || postgresMissing,
  timeout: 900_000,
}, async (t) => {
  t.diagnostic(`SEED=${seed}`);
  const { result, failure } = await runChaos({
    images: 300,
    faults: everyKind.length,
    seed,
    rate: 5,
    command: `SEED=${seed} node --test test/resilience/chaos.test.ts`,
    progress: () => {},
  });
  if (failure !== undefined) assert.fail(failure);
  assert.equal(result.lost, 0);
  assert.equal(result.duplicateResults, 0);
  assert.ok(result.accepted >= 300);
});
