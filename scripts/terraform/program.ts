import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ended, runProgram } from '../charts/programs.ts';
import { configurationIn } from './hcl.ts';
import { type Module, recordedModules } from './modules.ts';
import { buildStandIn, mirrorProviders, standInForModules } from './stand-in.ts';

/** The folder with all of Terraform's files. */
export const terraformFolder = fileURLToPath(new URL('../../deploy/terraform', import.meta.url));

/** What `terraform init` and `apply` are run in. */
export const roots = ['aws', 'gantry'];

const oldest = [1, 11] as const;

/** Terraform itself: TERRAFORM_PATH, or what PATH has. */
const terraform = (args: string[], configFile: string): Promise<Ended> =>
  runProgram(process.env.TERRAFORM_PATH ?? 'terraform', args, '', {
    TF_CLI_CONFIG_FILE: configFile,
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
  });

/** Why Terraform cannot be run here; false if it can. */
export const terraformMissing = async (): Promise<string | false> => {
  const asked = await terraform(['version', '-json'], '/dev/null').catch(() => undefined);
  if (asked?.code !== 0) return 'terraform is not installed (TERRAFORM_PATH or PATH)';
  const [major = 0, minor = 0] = String(JSON.parse(asked.output).terraform_version).split('.').map(Number);
  const old = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  return old && `terraform is older than ${oldest.join('.')}`;
};

/** Runs Terraform in one root of a copy; never with a real provider. */
export type Trial = { run(root: string, ...args: string[]): Promise<Ended>; folder: string };

/**
 * A copy of deploy/terraform (or of `from`) in a temporary folder, ready for `terraform validate` and `test` without
 * any registry, cloud or cluster: stand-ins for providers and modules. Undefined without Go. Delete its folder.
 */
export const prepareTrial = async (
  from: string = terraformFolder,
  modules: Record<string, Module> = recordedModules,
): Promise<Trial | undefined> => {
  const program = await buildStandIn();
  if (program === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'terraform-trial-'));
  try {
    const copy = join(folder, 'terraform');
    cpSync(from, copy, { recursive: true, filter: (path) => !path.endsWith('.terraform') });
    const configurations = await Promise.all(roots.map((root) => configurationIn(join(copy, root))));
    const mirror = join(folder, 'mirror');
    await mirrorProviders(program, configurations, mirror);
    const config = join(folder, 'terraform.rc');
    writeFileSync(
      config,
      `provider_installation {\n  filesystem_mirror {\n    path = "${mirror}"\n  }\n}\ndisable_checkpoint = true\n`,
    );
    for (const [index, root] of roots.entries()) {
      const configuration = configurations[index];
      if (configuration) standInForModules(join(copy, root), configuration, modules);
    }
    return { folder, run: (root, ...args) => terraform([`-chdir=${join(copy, root)}`, ...args], config) };
  } catch (error) {
    rmSync(folder, { recursive: true });
    throw error;
  }
};
