import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare, type Stored } from './ledger.ts';
import type { Accepted } from './load.ts';

const ids = ['first', 'second'];
const accepted = new Map<string, Accepted>(
  ids.map((id) => [id, { id, label: 'cat', begunAt: 0, acceptedAt: 1, refused: 0 }]),
);
const right: Stored = { state: 'succeeded', label: 'cat', attempts: 1 };
const stored = (second: Stored | undefined): Map<string, Stored> =>
  new Map([['first', right], ...(second === undefined ? [] : ([['second', second]] as const))]);
const once = new Map(ids.map((id) => [id, 1]));

test('books that balance', () => {
  const { lost, duplicates, problems } = compare(accepted, stored(right), once, false);
  assert.deepEqual({ lost, duplicates, problems }, { lost: 0, duplicates: 0, problems: [] });
});

const wrong: [what: string, Stored | undefined, endings: number, lost: number, duplicates: number, RegExp][] =
  [
    ['is not stored', undefined, 0, 1, 0, /do not exist: 1 \(second\)/],
    ['never ended', { ...right, state: 'queued' }, 0, 1, 0, /never ended: 1 \(second queued\)/],
    ['succeeded, but nobody was told', right, 0, 1, 0, /never ended: 1 \(second succeeded\)/],
    ['did not succeed', { ...right, state: 'dead' }, 1, 0, 0, /did not succeed: 1 \(second dead\)/],
    ['has another label', { ...right, label: 'dog' }, 1, 0, 0, /wrong labels: 1 \(second dog not cat\)/],
    ['ended twice', right, 2, 0, 1, /ended more than once: 1 \(second 2 times\)/],
  ];
for (const [what, image, endings, lost, duplicates, message] of wrong) {
  test(`an image that ${what}`, () => {
    const ledger = compare(accepted, stored(image), new Map([...once, ['second', endings]]), false);
    assert.equal(ledger.lost, lost);
    assert.equal(ledger.duplicates, duplicates);
    assert.equal(ledger.problems.length, 1);
    assert.match(ledger.problems[0] ?? '', message);
  });
}

test('an image that no client was told of counts, unless others upload too', () => {
  const more = new Map([...stored(right), ['stranger', right] as const]);
  assert.match(compare(accepted, more, once, false).problems.join(), /no client was told of: 1 \(stranger\)/);
  assert.deepEqual(compare(accepted, more, once, true).problems, []);
});
