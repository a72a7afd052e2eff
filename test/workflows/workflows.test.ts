import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { parse } from 'yaml';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = new URL('../../', import.meta.url);
const folder = new URL('.github/workflows/', root);
const workflows = readdirSync(folder).map(
  (name) => [name, parse(readFileSync(new URL(name, folder), 'utf8')) as Workflow] as const,
);
const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  scripts: Record<string, string>;
};

const jobs = workflows.flatMap(([name, workflow]) =>
  Object.entries(workflow.jobs).map(([job, made]) => [`${name}, job ${job}`, made] as const),
);
const steps = jobs.flatMap(([where, { steps: all = [] }]) => all.map((step) => [where, step] as const));

test('there are workflows', () => {
  assert.deepEqual(workflows.map(([name]) => name).sort(), [
    'ci.yaml',
    'codeql.yaml',
    'deploy.yaml',
    'release.yaml',
  ]);
});

test('every npm script that a workflow runs exists', () => {
  const ran = steps.flatMap(([where, { run = '' }]) =>
    [...run.matchAll(/npm (?:run )?(test|[a-z]+:[a-z]+|check|deploy)\b/g)].map(([, name = '']) => [
      where,
      name,
    ]),
  );
  assert.ok(ran.length >= 7);
  for (const [where, name = ''] of ran) assert.ok(scripts[name], `${where} runs npm run ${name}`);
});

test('what a step does is a command that people run too: one, and no script of its own', () => {
  for (const [where, { run }] of steps)
    if (run !== undefined) {
      assert.equal(run.trim().split('\n').length, 1, `${where}: ${run}`);
      assert.doesNotMatch(run, /[;|]|&&/, `${where}: ${run}`);
      // What somebody else wrote, such as a branch's name, must never be a part of a command.
      assert.doesNotMatch(run, /\$\{\{/, `${where}: ${run}`);
    }
});

test('every action has a version, and nothing else is called', () => {
  for (const [where, { uses }] of steps)
    if (uses !== undefined) assert.match(uses, /^[a-z-]+\/[a-z/-]+@(v\d+(\.\d+){0,2}|[0-9a-f]{40})$/, where);
});

test('a job has only the rights that it names, and ends by itself', () => {
  for (const [name, { permissions }] of workflows) assert.deepEqual(permissions, {}, name);
  for (const [where, job] of jobs) {
    assert.ok(job.permissions, `${where} names no permissions`);
    if (job.uses === undefined) assert.ok(job['timeout-minutes'], `${where} may run for six hours`);
  }
});

test('the token is not left in the checkout', () => {
  const checkouts = steps.filter(([, { uses }]) => uses?.startsWith('actions/checkout@'));
  assert.ok(checkouts.length >= 8);
  for (const [where, step] of checkouts) assert.equal(step.with?.['persist-credentials'], false, where);
});

test('nothing runs with our secrets on somebody else’s change', () => {
  for (const [name, { on }] of workflows) assert.ok(!('pull_request_target' in on), name);
});
