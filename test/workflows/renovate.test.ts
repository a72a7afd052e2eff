import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import renovate from '../../renovate.json' with { type: 'json' };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The files of a pattern such as /^scripts/.+$/. */
const filesOf = (patterns: readonly string[]): string[] => {
  const expressions = patterns.map((pattern) => new RegExp(pattern.slice(1, -1)));
  return globSync('{charts,scripts}/**', { cwd: root }).filter((file) =>
    expressions.some((expression) => expression.test(file)),
  );
};

test('Renovate finds every version that a script holds', () => {
  const found = renovate.customManagers.flatMap(({ managerFilePatterns, matchStrings }) =>
    filesOf(managerFilePatterns).flatMap((file) =>
      matchStrings.flatMap((expression) => [
        ...readFileSync(`${root}/${file}`, 'utf8').matchAll(new RegExp(expression, 'g')),
      ]),
    ),
  );
  const named = found.map(({ groups }) => `${groups?.depName} ${groups?.currentValue}`);
  const marked = globSync('scripts/**/*.{mjs,ts}', { cwd: root }).flatMap((file) => [
    ...readFileSync(`${root}/${file}`, 'utf8').matchAll(/^\/\/ renovate: (\S+)$/gm),
  ]);
  assert.ok(marked.length >= 4);
  for (const [, name = ''] of marked)
    assert.ok(
      named.some((one) => new RegExp(`^${name} v\\d+\\.\\d+\\.\\d+$`).test(one)),
      name,
    );
  assert.ok(named.some((one) => /^@aws-cdk\/lambda-layer-kubectl-v\d+ \d+\.\d+\.\d+$/.test(one)));
});

test('Renovate’s other patterns are of files that there are', () => {
  for (const { managerFilePatterns } of [renovate.pip_requirements, renovate['helm-values']])
    assert.ok(filesOf(managerFilePatterns).length > 0, managerFilePatterns.join());
});
