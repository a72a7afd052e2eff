import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageTable, table } from './table.ts';
import { fitting, widthOf } from './width.ts';

const green = (text: string): string => `\u001b[32m${text}\u001b[39m`;

test('columns stand below each other whatever the names are written in', () => {
  const rows = [
    ['猫の写真.png', 'one'],
    ['고양이.png', 'two'],
    ['e\u0301te\u0301.png', 'three'],
    ['👩‍👩‍👧 🐈.png', 'four'],
    [green('cat.png'), 'five'],
  ];
  // Where each cell begins, counted by hand: 12 columns for the widest name, and two between.
  assert.deepEqual(table(['FILE', 'WHAT'], rows).split('\n'), [
    'FILE          WHAT',
    '猫の写真.png  one',
    '고양이.png    two',
    'e\u0301te\u0301.png       three',
    '👩‍👩‍👧 🐈.png     four',
    `${green('cat.png')}       five`,
    '',
  ]);
});

test('a line is cut at the columns that it takes, between whole characters, and its colours end', () => {
  assert.equal(fitting('猫の写真', 8), '猫の写真');
  assert.equal(fitting('猫の写真', 7), '猫の写');
  assert.equal(fitting('a👩‍👩‍👧b', 3), 'a👩‍👩‍👧');
  assert.equal(fitting('a👩‍👩‍👧b', 2), 'a');
  assert.equal(fitting(`${green('猫')}の写真`, 3), green('猫'));
  assert.equal(fitting(green('猫の写真'), 5), green('猫の'));
  assert.equal(widthOf(fitting('cat.png and more', 7)), 7);
});

test('where there is little room IDs are cut as far as they still differ, also those of one millisecond', () => {
  const row = (end: string): string[] => [`01a22513-167b-724e-a6dc-${end}`, 'damaged'];
  const cut = (...rows: string[][]): string[] =>
    imageTable(['ID', 'WHY'], rows, 40)
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split('  ')[0] ?? '');
  assert.deepEqual(cut(row('ebe58f83ae76')), ['01a22513-167b-724e']);
  const [first, second] = cut(row('ebe58f83ae76'), row('ec4b7aa34b4d'));
  assert.deepEqual([first, second], ['01a22513-167b-724e-a6dc-eb', '01a22513-167b-724e-a6dc-ec']);
});
