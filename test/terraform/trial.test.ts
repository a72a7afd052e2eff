import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../../scripts/charts/programs.ts';
import { prepareTrial, terraformFolder, terraformMissing } from '../../scripts/terraform/program.ts';
import { buildStandIn } from '../../scripts/terraform/stand-in.ts';
import { renderTemplate, templatePath } from '../../scripts/terraform/templates.ts';
import { cases } from './cases.ts';

const skip =
  (await terraformMissing()) || ((await buildStandIn()) ? false : 'Go is missing to build the stand-in');

/** What `terraform validate` says of the root `aws` with more in it. */
const validated = async (more: string): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'terraform-changed-'));
  try {
    const copy = join(folder, 'terraform');
    cpSync(terraformFolder, copy, { recursive: true });
    appendFileSync(join(copy, 'aws', 'queue.tf'), more);
    const trial = await prepareTrial(copy);
    assert.ok(trial, 'Go is needed to build the stand-in');
    try {
      const init = await trial.run('aws', 'init', '-backend=false', '-no-color');
      if (init.code !== 0) return init.errors;
      const { output, errors } = await trial.run('aws', 'validate', '-no-color');
      return `${output}${errors}`;
    } finally {
      rmSync(trial.folder, { recursive: true });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
};

test('Terraform validates against the real schemas of resources', { skip }, async () => {
  const said = await validated(`
resource "aws_mq_configuration" "extra" {
  name = "gantry"
  engine_type = ["RabbitMQ"]
  engine_version = "4.2"
  data = ""
  colour = "red"
}
`);
  assert.match(said, /An argument named "colour" is not expected here/);
  assert.match(said, /Inappropriate value for attribute "engine_type": string required/);
});

test('Terraform validates against the recorded inputs and outputs of modules', { skip }, async () => {
  const second = (more: string): string =>
    `module "second" {\n source = "terraform-aws-modules/vpc/aws"\n version = "6.5.1"\n ${more}\n}\n`;
  assert.match(await validated(second('zones = 3')), /An argument named "zones" is not expected here/);
  assert.match(await validated(second('azs = { a = 1 }')), /list of string required/);
  assert.match(
    await validated(`${second('')}output "second" {\n value = module.second.arn\n}\n`),
    /This object does not have an attribute named "arn"/,
  );
});

test('the templates of values come out as Terraform renders them', { skip }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'terraform-template-'));
  try {
    for (const one of cases) {
      for (const name of ['gantry', 'foundation'] as const) {
        const variables = join(folder, 'variables.json');
        writeFileSync(variables, JSON.stringify(one[name]));
        const { code, output, errors } = await runProgram(
          process.env.TERRAFORM_PATH ?? 'terraform',
          [`-chdir=${folder}`, 'console'],
          `base64encode(templatefile("${templatePath(name)}", jsondecode(file("${variables}"))))\n`,
          { TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' },
        );
        assert.equal(code, 0, errors);
        const terraform = Buffer.from(JSON.parse(output.trim()), 'base64').toString();
        assert.equal(terraform, renderTemplate(name, one[name]), `${name}: ${one.name}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
