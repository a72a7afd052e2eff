// Runs before `npm start` and `npm test`, with whatever Node the machine has (18 or newer) and no dependency:
// installs the locked packages (the Node that Gantry runs on among them) and builds the page, each only when it is
// missing or stale; before the tests also the programs they need. Says nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const purpose = process.argv[2] ?? 'start';

const fail = (text) => {
  process.stderr.write(`gantry setup: ${text}\n`);
  process.exit(1);
};

const run = (command, args, env = {}) => {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  if (error) fail(`cannot run ${command}: ${error.message}`);
  if (status !== 0) fail(`${command} ${args.join(' ')} failed (exit code ${status})`);
};

/** Runs `make` unless the stamp file says that it was run for the same key. */
const once = (stamp, key, what, make) => {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  process.stdout.write(`gantry setup: ${what} ...\n`);
  const began = Date.now();
  make();
  writeFileSync(stamp, key);
  process.stdout.write(`gantry setup: ${what}: done in ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
};

const hashOf = (text) => createHash('sha256').update(text).digest('hex');

const inPath = (command) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, command)));

/** Installs Debian packages, or says what to install where that is not ours to do. */
const installPackages = (packages, reason) => {
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !inPath('apt-get')) {
    fail(`${reason}; install with: sudo apt-get install ${packages.join(' ')}`);
  }
  process.stdout.write(`gantry setup: installing ${packages.join(', ')} ...\n`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], env);
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], env);
};

/** Node 26 is linked against libatomic, which a minimal Debian lacks. */
const installLibraries = () => {
  if (process.platform !== 'linux') return;
  const { stdout, error } = spawnSync('/sbin/ldconfig', ['-p'], { encoding: 'utf8' });
  if (error || stdout.includes('libatomic.so.1')) return;
  installPackages(['libatomic1'], 'Node 26 needs the library libatomic.so.1');
};

const install = () => {
  const lock = readFileSync(join(root, 'package-lock.json'));
  const key = hashOf(Buffer.concat([lock, Buffer.from(`${process.platform} ${process.arch}`)]));
  once(join(root, 'node_modules', '.gantry-setup'), key, 'installing packages', () => {
    installLibraries();
    // npm sets npm_execpath for scripts; run by hand there is only the one in PATH.
    const npm = process.env.npm_execpath;
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    // onnxruntime-node's install script would download CUDA libraries.
    const env = { ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip' };
    if (npm) run(process.execPath, [npm, ...args], env);
    else run('npm', args, env);
    if (!existsSync(join(bin, 'node')))
      fail('the package `node` was not set up: npm must be allowed to run its install script');
  });
};

const sources = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'dist' ? [] : sources(path);
    const { size, mtimeMs } = statSync(path);
    return [`${path} ${size} ${mtimeMs}`];
  });

const buildPage = () => {
  const key = hashOf(
    [...sources(join(root, 'ui')), readFileSync(join(root, 'package-lock.json'), 'utf8')].join('\n'),
  );
  once(join(root, 'ui', 'dist', '.gantry-setup'), key, 'building the page', () => {
    run(join(bin, 'node'), [
      join(root, 'node_modules', 'vite', 'bin', 'vite.js'),
      'build',
      'ui',
      '--logLevel',
      'warn',
    ]);
  });
};

/** Programs that the tests run for real: the command, and the Debian package that brings it. */
const testPrograms = [{ command: 'chromium', setting: 'CHROMIUM_PATH', package: 'chromium' }];

const installTestPrograms = () => {
  const missing = testPrograms.filter(({ command, setting }) => !process.env[setting] && !inPath(command));
  const packages = missing.map((program) => program.package);
  installPackages(packages, `the tests run ${packages.join(', ')}`);
};

install();
buildPage();
if (purpose === 'test') installTestPrograms();
