import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { npm } from '../npm.ts';
import { makeClientPackage } from './package.ts';

const { name, version } = manifest;

/**
 * Packs the client, as its source is now, into the folder `out`; returns the archive's path. npm itself would call it as
 * Helm calls the archive of the chart `gantry`.
 */
export const packClient = (out: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-client-'));
  try {
    const made = join(folder, 'package');
    makeClientPackage(made);
    npm(made, 'pack', '--silent', '--ignore-scripts');
    mkdirSync(out, { recursive: true });
    const archive = join(out, `${name}-client-${version}.tgz`);
    copyFileSync(join(made, `${name}-${version}.tgz`), archive);
    return archive;
  } finally {
    rmSync(folder, { recursive: true });
  }
};
