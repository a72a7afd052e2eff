import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../charts/programs.ts';

/** An npm package at an exact version, kept packed: one of them has 400 MB, of which a few files are read. */
export type Package = { name: string; version: string; integrity: string };

/** Typed bindings of a provider, which say what its resources take; `provider` is the version they were made from. */
export type Bindings = Package & { provider: string };

/** By the provider's name, which its resources begin with. */
export const bindings: Record<string, Bindings> = {
  aws: {
    name: '@cdktn/provider-aws',
    version: '25.7.0',
    provider: '6.66.0',
    integrity:
      'sha512-E/nhu0yVZE4mXMgIPuI8tEFt1BExLkA7ARjihdG+/HmfDfzLr+OEF3dkFRvI6glRt30lrrBWQLwXqCJBxcmyUg==',
  },
  helm: {
    name: '@cdktf/provider-helm',
    version: '12.1.2',
    provider: '3.1.1',
    integrity:
      'sha512-QFLfD6e5djSiuw5o63JTaVjLTzUrcXW4rT6zdcvIHfjrqcUJT+Yc8cfhLTVVr5p+fRYrB90b6j8YogBEsLj+5A==',
  },
  http: {
    name: '@cdktf/provider-http',
    version: '10.0.1',
    provider: '3.5.0',
    integrity:
      'sha512-9WVTVXHrPmwkXw1rdYyBAnbP76Y7sSG6HU8dvsxtXUQ42qBxj8hE3LcY0q7ZhhdaG7yaqzSJUkS5DJvv+g0mxw==',
  },
  kubernetes: {
    name: '@cdktf/provider-kubernetes',
    version: '12.1.1',
    provider: '2.38.0',
    integrity:
      'sha512-faZ/zydCsDBYwXqq3douhxSf8KFJfTUixYDr5hg0uCA8FExRK3+w27JUrt6gAVHFBuOVsKthObdqtTmP3PzQSQ==',
  },
  random: {
    name: '@cdktn/provider-random',
    version: '15.0.1',
    provider: '3.9.1',
    integrity:
      'sha512-YEP/fbBGsjbaQKyPS/svsVIMAb2sxfYESwyoT4l2ynwiqJWCbXQUrWbjm0MPBzA5R4WxW29Wi4QdykYvmeJCTg==',
  },
};

/** HashiCorp's parser of HCL, as WebAssembly. */
export const parser: Package = {
  name: '@cdktn/hcl2json',
  version: '0.24.0',
  integrity:
    'sha512-ECDHCIhXkg6cBVwm2842II5NYzcqaZyz99hqVFIhBEeWCYG2NmfTaCxbdOXWo7nlWI4Dn+lhekgnksEwolH4Yg==',
};

/** Where packages and what is built lie. */
export const cache = fileURLToPath(new URL('../../node_modules/.cache/gantry/terraform', import.meta.url));

const archiveOf = ({ name, version }: Package): string =>
  join(cache, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);

const failed = (message: string, cause?: unknown): Error =>
  Object.assign(new Error(message, { cause }), { code: 'PACKAGE_MISSING' });

const fetched = async (wanted: Package): Promise<string> => {
  const archive = archiveOf(wanted);
  if (existsSync(archive)) return archive;
  const folder = join(cache, `fetching-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const { name, version, integrity } = wanted;
    const packing = [
      'pack',
      `${name}@${version}`,
      '--silent',
      '--ignore-scripts',
      '--pack-destination',
      folder,
    ];
    const { code, output, errors } = await runProgram('npm', packing);
    if (code !== 0) throw failed(`${name}@${version} cannot be had: ${errors.trim()}`);
    const packed = join(folder, output.trim());
    const found = `sha512-${createHash('sha512').update(readFileSync(packed)).digest('base64')}`;
    if (found !== integrity) throw failed(`${name}@${version} is not what was pinned: ${found}`);
    renameSync(packed, archive);
    return archive;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/**
 * The folder of a package where these files of it lie unpacked, as far as it has them. Fetches the package the first
 * time. Throws `PACKAGE_MISSING` if it cannot be had or is not what was pinned.
 */
export const packageFiles = async (wanted: Package, files: string[]): Promise<string> => {
  const archive = await fetched(wanted);
  const folder = archive.replace(/\.tgz$/, '');
  const missing = files.filter((file) => !existsSync(join(folder, 'package', file)));
  if (missing.length > 0) {
    mkdirSync(folder, { recursive: true });
    // Ends with an error if the package has not all of them, which is for the caller to see.
    await runProgram('tar', ['-xzf', archive, '-C', folder, ...missing.map((file) => `package/${file}`)]);
  }
  return join(folder, 'package');
};
