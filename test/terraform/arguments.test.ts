import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentProblems } from '../../scripts/terraform/arguments.ts';
import { configurationOf } from '../../scripts/terraform/hcl.ts';
import { recordedModules } from '../../scripts/terraform/modules.ts';
import { referenceProblems } from '../../scripts/terraform/references.ts';

const argumentsOf = async (text: string): Promise<string[]> =>
  argumentProblems(await configurationOf({ 'main.tf': text }), recordedModules);

const referencesOf = async (text: string): Promise<string[]> =>
  referenceProblems(await configurationOf({ 'main.tf': text }), recordedModules, ['aws', 'random']);

const broker = (more = ''): string => `
resource "aws_mq_broker" "queue" {
  broker_name        = "gantry"
  engine_type        = "RabbitMQ"
  engine_version     = "4.2"
  host_instance_type = "mq.m7g.large"
  user {
    username = "gantry"
    password = "secret"
  }
  ${more}
}`;

test('what is right is right', async () => {
  assert.deepEqual(
    await argumentsOf(broker('logs {\n general = true\n }\n lifecycle {\n }\n count = 1')),
    [],
  );
});

test('a misspelt argument is found, in nested blocks too', async () => {
  assert.deepEqual(await argumentsOf(broker('security_group = []\n logs {\n audits = true\n }')), [
    'aws_mq_broker.queue has no argument security_group',
    'aws_mq_broker.queue.logs has no argument audits',
  ]);
});

test('a missing argument is found, in nested blocks too', async () => {
  assert.deepEqual(await argumentsOf(broker().replace('engine_type        = "RabbitMQ"', '')), [
    'aws_mq_broker.queue needs engine_type',
  ]);
  assert.deepEqual(
    await argumentsOf(broker('maintenance_window_start_time {\n day_of_week = "SUNDAY"\n }')),
    [
      'aws_mq_broker.queue.maintenance_window_start_time needs time_of_day',
      'aws_mq_broker.queue.maintenance_window_start_time needs time_zone',
    ],
  );
});

test('what AWS says cannot be set', async () => {
  assert.deepEqual(await argumentsOf(broker('arn = "arn:aws:mq:..."')), [
    'aws_mq_broker.queue.arn cannot be set',
  ]);
});

test('a block is not written as an argument', async () => {
  assert.deepEqual(await argumentsOf(broker('logs = { general = true }')), [
    'aws_mq_broker.queue.logs is a block, written without an equals sign',
  ]);
});

test('dynamic blocks are looked into', async () => {
  const dynamic = 'dynamic "logs" {\n for_each = [1]\n content {\n audits = true\n }\n }';
  assert.deepEqual(await argumentsOf(broker(dynamic)), ['aws_mq_broker.queue.logs has no argument audits']);
});

test('an unknown resource, data source, ephemeral resource and provider are found', async () => {
  const unknown = `
resource "aws_message_broker" "queue" {
}
data "aws_zones" "all" {
}
ephemeral "random_passphrase" "one" {
}
resource "google_storage_bucket" "images" {
}`;
  assert.deepEqual(await argumentsOf(unknown), [
    'aws_message_broker: its provider has no such resource',
    'google_storage_bucket: no bindings for this resource',
    'data.aws_zones: its provider has no such data source',
    'ephemeral.random_passphrase: its provider has no such ephemeral',
  ]);
});

test("a provider's configuration is looked at", async () => {
  const provider =
    'provider "aws" {\n region = "eu-central-1"\n zone = "a"\n default_tags {\n tag = {}\n }\n}';
  assert.deepEqual(await argumentsOf(provider), [
    'provider.aws has no argument zone',
    'provider.aws.default_tags has no argument tag',
  ]);
});

test('inputs of modules are those that are recorded, and so is their version', async () => {
  const vpc = 'source = "terraform-aws-modules/vpc/aws"';
  const modules = `
module "vpc" {
  ${vpc}
  version = "6.5.0"
  name = "gantry"
  availability_zones = []
}
module "other" {
  source = "example/other/aws"
  version = "1.0.0"
}`;
  assert.deepEqual((await argumentsOf(modules)).sort(), [
    'module.other: example/other/aws is not recorded in modules.json',
    'module.vpc has no input availability_zones',
    'module.vpc is version 6.5.0, recorded is 6.5.1',
  ]);
});

test('names that nothing has are found', async () => {
  const text = `
variable "name" {
}
locals {
  zones = var.names
  broker = aws_mq_broker.queues[0].arn
  own = [for zone in local.zone : zone.name]
  quoted = "aws_kms_key.data is text"
}
resource "aws_mq_broker" "queue" {
  broker_name = "\${var.name}-\${local.zones}"
  engine_type = aws_mq_broker.queue.engine
  engine_version = module.vpc.version
  host_instance_type = module.network.vpc_id
}
module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}`;
  assert.deepEqual((await referencesOf(text)).sort(), [
    'aws_mq_broker.queue has no attribute engine',
    'module.vpc has no output version',
    'no aws_mq_broker.queues',
    'no local zone',
    'no module network',
    'no variable names',
  ]);
});

test('what is no HCL is refused with its place', async () => {
  await assert.rejects(argumentsOf('resource "aws_mq_broker" {'), { code: 'NOT_HCL', message: /main\.tf/ });
  await assert.rejects(argumentsOf(`${broker()}${broker()}`), {
    code: 'NOT_HCL',
    message: 'resource aws_mq_broker.queue is there twice',
  });
});
