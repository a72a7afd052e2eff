import { allowedActions } from './allowed-actions.ts';
import { type Job, npmScripts, type Step, type Workflow } from './workflow.ts';

/** What a workflow may refer to. */
export type Project = {
  /** Names of the scripts in package.json. */
  scripts: readonly string[];
  /** File names of the workflows. */
  workflows: readonly string[];
};

const exact = /^v\d+\.\d+\.\d+$/;

const actionProblems = (uses: string, text: string): string[] => {
  const [, owner, repository, version = ''] = /^([^/@]+)\/([^/@]+)(?:\/[^@]+)?@(.+)$/.exec(uses) ?? [];
  const problems: string[] = [];
  if (!Object.hasOwn(allowedActions, `${owner}/${repository}`))
    problems.push(`${uses} is not among scripts/workflows/allowed-actions.ts`);
  // A digest says nothing to a reader, nor to Renovate, without its version beside it.
  const beside = text.split(`${uses} # `)[1]?.split('\n')[0] ?? '';
  const named = exact.test(version) || (/^[0-9a-f]{40}$/.test(version) && exact.test(beside));
  if (!named) problems.push(`${uses} has no exact version`);
  return problems;
};

const commandProblems = (run: string): string[] => {
  const problems: string[] = [];
  if (run.trim().includes('\n') || /[;|]|&&/.test(run)) problems.push(`is more than one command: ${run}`);
  // What somebody else wrote, such as a branch's name, would become a part of the command.
  if (run.includes('${{')) problems.push(`puts a value into a command, not into a variable: ${run}`);
  return problems;
};

const stepProblems = (step: Step, job: Job, text: string, { scripts }: Project): string[] => [
  ...(step.run === undefined ? [] : commandProblems(step.run)),
  ...npmScripts(step, job)
    .filter((script) => !scripts.includes(script))
    .map((script) => `runs npm run ${script}, which package.json has not`),
  ...(step.uses === undefined ? [] : actionProblems(step.uses, text)),
  ...(step.uses?.startsWith('actions/checkout@') && step.with?.['persist-credentials'] !== false
    ? ['leaves its token in the checkout']
    : []),
];

const jobProblems = (job: Job, text: string, project: Project): string[] => {
  const problems: string[] = [];
  if (job.permissions === undefined) problems.push('names no permissions');
  if (job.uses !== undefined) {
    if (!project.workflows.some((file) => job.uses === `./.github/workflows/${file}`))
      problems.push(`calls ${job.uses}, which is no workflow of ours`);
  } else if (job['timeout-minutes'] === undefined) problems.push('may run for six hours');
  return [...problems, ...(job.steps ?? []).flatMap((step) => stepProblems(step, job, text, project))];
};

/** What is wrong with a workflow that neither actionlint nor zizmor sees; nothing if it is right. */
export const workflowProblems = (workflow: Workflow, project: Project): string[] => {
  const { name, on, permissions, concurrency, jobs, text } = workflow;
  const problems: string[] = [];
  if (permissions === undefined || Object.keys(permissions).length > 0)
    problems.push('gives permissions to every job');
  for (const trigger of ['pull_request_target', 'workflow_run'])
    if (Object.hasOwn(on, trigger))
      problems.push(`${trigger} runs with our secrets on somebody else's change`);
  // A called workflow that waits for the group of its caller waits for ever; case makes no difference there.
  if (!concurrency?.group.startsWith(name))
    problems.push(`its concurrency group does not begin with ${name}`);
  return [
    ...problems,
    ...Object.entries(jobs).flatMap(([job, made]) =>
      jobProblems(made, text, project).map((problem) => `job ${job} ${problem}`),
    ),
  ];
};
