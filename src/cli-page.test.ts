import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cliPage, leaves } from './cli-page.ts';
import { examplesOf, nameOf } from './commands/help.ts';

test('docs/cli.md is what the commands say (npm run docs)', () => {
  assert.equal(readFileSync(new URL('../docs/cli.md', import.meta.url), 'utf8'), cliPage());
});

test('every command says what it does, and has examples of itself', () => {
  for (const command of leaves()) {
    const name = nameOf(command);
    assert.notEqual(command.description(), '', name);
    assert.ok(
      examplesOf(command).some((line) => line.includes(name)),
      name,
    );
    for (const { flags, description } of command.options)
      assert.notEqual(description, '', `${name} ${flags}`);
  }
});
