import { readFileSync } from 'node:fs';

/**
 * What a community module takes and gives, at one version: what is used of it, and where that was read. A new input is
 * looked up there before it is written down here.
 */
export type Module = {
  version: string;
  readFrom: string;
  /** Types as Terraform writes them. All of them have defaults. */
  inputs: Record<string, string>;
  outputs: string[];
};

/** By their source in the registry. */
export const recordedModules: Record<string, Module> = JSON.parse(
  readFileSync(new URL('modules.json', import.meta.url), 'utf8'),
);
