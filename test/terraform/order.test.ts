import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { configurationIn } from '../../scripts/terraform/hcl.ts';
import { terraformFolder } from '../../scripts/terraform/program.ts';

/** Operators that put finalizers on objects of Gantry's namespace: without them these objects are never gone. */
const finishing = ['load_balancer_controller', 'keda', 'external_secrets'];

test('at the end the operators are there until the namespace is empty', async () => {
  const { resource } = await configurationIn(join(terraformFolder, 'gantry'));
  // What depends on something is made after it, and destroyed before it.
  const before = String(resource.kubernetes_namespace_v1?.gantry?.depends_on);
  for (const name of finishing) {
    assert.ok(resource.helm_release?.[name], name);
    assert.ok(before.includes(`helm_release.${name}`), name);
  }
});
