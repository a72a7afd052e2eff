import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Body, configurationIn, parseHcl } from '../../scripts/terraform/hcl.ts';
import { terraformFolder } from '../../scripts/terraform/program.ts';

const variablesOf = async (root: string): Promise<Record<string, Body>> =>
  (await configurationIn(join(terraformFolder, root))).variable;

/** Names in an object that a variable of this type does not have; its type is what Terraform writes. */
const unknownFields = (name: string, value: unknown, { type }: Body = {}): string[] =>
  typeof value !== 'object' || value === null || Array.isArray(value) || !String(type).includes('object(')
    ? []
    : Object.keys(value)
        .filter((field) => !new RegExp(`\\b${field}\\s*=`).test(String(type)))
        .map((field) => `${name}.${field}`);

const examples = [
  ...readdirSync(join(terraformFolder, 'aws', 'examples')).map((file) => ({
    root: 'aws',
    file: `examples/${file}`,
  })),
  { root: 'gantry', file: 'example.tfvars' },
];

for (const { root, file } of examples) {
  test(`${root}/${file} sets inputs that there are, and all that are needed`, async () => {
    const variables = await variablesOf(root);
    const given = await parseHcl(file, readFileSync(join(terraformFolder, root, file), 'utf8'));
    const unknown = Object.entries(given).flatMap(([name, value]) =>
      name in variables ? unknownFields(name, value, variables[name]) : [name],
    );
    assert.deepEqual(unknown, []);
    const missing = Object.keys(variables).filter(
      (name) => !('default' in (variables[name] ?? {})) && !(name in given),
    );
    assert.deepEqual(missing, []);
  });
}

test('the output of the infrastructure is made of inputs of the other root', async () => {
  const { output } = await configurationIn(join(terraformFolder, 'aws'));
  const variables = await variablesOf('gantry');
  const value = output.gantry?.value as Record<string, unknown>;
  assert.ok(Object.keys(value).length > 8);
  const unknown = Object.entries(value).flatMap(([name, one]) =>
    name in variables ? unknownFields(name, one, variables[name]) : [name],
  );
  assert.deepEqual(unknown, []);
  const needed = Object.keys(variables).filter((name) => !('default' in (variables[name] ?? {})));
  assert.deepEqual(needed, ['image']);
});
