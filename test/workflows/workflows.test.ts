import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import manifest from '../../package.json' with { type: 'json' };
import { allowedActions } from '../../scripts/workflows/allowed-actions.ts';
import { workflowProblems } from '../../scripts/workflows/rules.ts';
import { npmScripts, readWorkflow } from '../../scripts/workflows/workflow.ts';

const folder = new URL('../../.github/workflows/', import.meta.url);
const files = readdirSync(folder);
const project = { scripts: Object.keys(manifest.scripts), workflows: files };
const workflows = files.map((file) =>
  readWorkflow(file.replace('.yaml', ''), readFileSync(new URL(file, folder), 'utf8')),
);

test('every workflow keeps the rules', () => {
  assert.deepEqual(files.sort(), ['ci.yaml', 'codeql.yaml', 'deploy.yaml', 'nightly.yaml', 'release.yaml']);
  for (const workflow of workflows) assert.deepEqual(workflowProblems(workflow, project), [], workflow.name);
});

test('CI checks every part of npm run check, and all of npm test', () => {
  const jobs = Object.values(workflows.find(({ name }) => name === 'ci')?.jobs ?? {});
  const ran = jobs.flatMap((job) => (job.steps ?? []).flatMap((step) => npmScripts(step, job)));
  const parts = [...manifest.scripts.check.matchAll(/npm run (\S+)/g)].map(([, part = '']) => part);
  assert.ok(parts.length >= 4, manifest.scripts.check);
  assert.deepEqual(
    parts.filter((part) => !ran.includes(part)),
    [],
  );
  assert.ok(ran.includes('test') && ran.includes('test:kubernetes'), ran.join(', '));
});

test('no action is allowed that nothing uses', () => {
  const text = workflows.map((workflow) => workflow.text).join('');
  assert.deepEqual(
    Object.keys(allowedActions).filter((action) => !new RegExp(`uses: ${action}[@/]`).test(text)),
    [],
  );
});

const right = `on:
  push:
permissions: {}
concurrency:
  group: sample
jobs:
  one:
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read
    strategy:
      matrix:
        part: [a, b]
    steps:
      - uses: actions/checkout@v6.0.2
        with:
          persist-credentials: false
      - run: npm run "check:$PART"
        env:
          PART: \${{ matrix.part }}
`;
const digest = '0123456789abcdef0123456789abcdef01234567';

const problems = (text: string): string[] =>
  workflowProblems(readWorkflow('sample', text), {
    scripts: ['check:a', 'check:b'],
    workflows: ['sample.yaml'],
  });

test('what keeps the rules is taken, a digest with its version too', () => {
  assert.deepEqual(problems(right), []);
  assert.deepEqual(problems(right.replace('@v6.0.2', `@${digest} # v6.0.2`)), []);
});

const broken: readonly (readonly [change: string, to: string, problem: RegExp])[] = [
  ['permissions: {}', 'permissions: {contents: read}', /gives permissions to every job/],
  ['permissions: {}\n', '', /gives permissions to every job/],
  ['push:', 'pull_request_target:', /pull_request_target runs with our secrets/],
  ['push:', 'workflow_run:', /workflow_run runs with our secrets/],
  ['group: sample', 'group: other', /concurrency group does not begin with sample/],
  ['group: sample', `group: '\${{ github.workflow }}'`, /concurrency group does not begin with sample/],
  ['    permissions:\n      contents: read\n', '', /job one names no permissions/],
  ['    timeout-minutes: 5\n', '', /job one may run for six hours/],
  [
    '    timeout-minutes: 5\n',
    '    uses: ./.github/workflows/gone.yaml\n',
    /gone.yaml, which is no workflow/,
  ],
  ['    timeout-minutes: 5\n', '    uses: a/b/.github/workflows/sample.yaml@v1\n', /which is no workflow/],
  ['actions/checkout@v6.0.2', 'somebody/checkout@v6.0.2', /somebody\/checkout@v6.0.2 is not among/],
  ['actions/checkout@v6.0.2', './.github/actions/own', /is not among/],
  ['@v6.0.2', '@v6', /actions\/checkout@v6 has no exact version/],
  ['@v6.0.2', '@main', /actions\/checkout@main has no exact version/],
  ['@v6.0.2', `@${digest}`, /has no exact version/],
  ['@v6.0.2', `@${digest} # newest`, /has no exact version/],
  ['persist-credentials: false', 'fetch-depth: 1', /leaves its token in the checkout/],
  ['part: [a, b]', 'part: [a, c]', /runs npm run check:c, which package.json has not/],
  ['npm run "check:$PART"', 'npm test', /runs npm run test, which package.json has not/],
  ['npm run "check:$PART"', '|\n          npm ci\n          npm run check:a', /is more than one command/],
  ['npm run "check:$PART"', 'npm ci && npm run check:a', /is more than one command/],
  ['npm run "check:$PART"', 'npm run check:a | tail', /is more than one command/],
  ['npm run "check:$PART"', `echo '\${{ github.head_ref }}'`, /puts a value into a command/],
];
for (const [change, to, problem] of broken)
  test(`refused: ${JSON.stringify(change)} made ${JSON.stringify(to)}`, () => {
    assert.ok(right.includes(change));
    assert.match(problems(right.replace(change, () => to)).join('\n'), problem);
  });
