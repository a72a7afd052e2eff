// Runs before `npm start` and `npm test`, with whatever Node the machine has (18 or newer) and no dependency:
// installs the locked packages (the Node that Gantry runs on among them) and builds the page and the client for other
// programs, each only when it is missing or stale; before tests and checks (`test`, `charts`, `workflows`, `monitoring`, `kubernetes`) also the programs
// they need. npm also runs it (`prepare`) when another program links this folder. Says nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildGoPrograms } from './go-programs.mjs';
import { installChartCheckers, installKubernetesTools } from './kubernetes-tools.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const purpose = process.argv[2] ?? 'start';

const cache = join(root, 'node_modules', '.cache', 'gantry');

const say = (text) => process.stdout.write(`gantry setup: ${text}\n`);

const fail = (text) => {
  process.stderr.write(`gantry setup: ${text}\n`);
  process.exit(1);
};

const run = (command, args, env = {}, output = 'inherit') => {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', output, 'inherit'],
    env: { ...process.env, ...env },
  });
  if (error) fail(`cannot run ${command}: ${error.message}`);
  if (status !== 0) fail(`${command} ${args.join(' ')} failed (exit code ${status})`);
};

const npm = (args, env, output) => {
  // npm sets npm_execpath for scripts; run by hand there is only the one in PATH.
  const script = process.env.npm_execpath;
  if (script) run(process.execPath, [script, ...args], env, output);
  else run('npm', args, env, output);
};

const succeeds = (command, args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** Runs `make` unless the stamp file says that it was run for the same key. */
const once = (stamp, key, what, make) => {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  say(`${what} ...`);
  const began = Date.now();
  make();
  writeFileSync(stamp, key);
  say(`${what}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
};

const hashOf = (text) => createHash('sha256').update(text).digest('hex');

/** Whether a program lies in PATH or in one of these folders, where distributions put servers beside it. */
const inPath = (command, ...elsewhere) =>
  [...(process.env.PATH ?? '').split(delimiter), ...elsewhere].some((folder) =>
    existsSync(join(folder, command)),
  );

/** Installs Debian packages, or says what to install where that is not ours to do. */
const installPackages = (packages, reason) => {
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !inPath('apt-get')) {
    fail(`${reason}; install with: sudo apt-get install ${packages.join(' ')}`);
  }
  say(`installing ${packages.join(', ')} ...`);
  // Debian starts what it installs, unless the machine seems to be in single-user mode; the tests start their own.
  // (systemd does not ask: there the service runs until it is disabled.)
  const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
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
    // onnxruntime-node's install script would download CUDA libraries.
    const env = { ONNXRUNTIME_NODE_INSTALL_CUDA: 'skip', GANTRY_SETUP: 'running' };
    npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], env);
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
  // What the page shares with the command line, and the packages it is built with.
  const shared = ['src/picture-name.ts', 'src/pipeline/piece.ts', 'package-lock.json'].map((path) =>
    readFileSync(join(root, path), 'utf8'),
  );
  const key = hashOf([...sources(join(root, 'ui')), ...shared].join('\n'));
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

const buildClient = () => {
  // Of the pipeline: what client and server share.
  const folders = ['src/client', 'src/pipeline', 'scripts/client'].flatMap((folder) =>
    sources(join(root, folder)),
  );
  const files = ['docs/client.md', 'package.json', 'package-lock.json'];
  const key = hashOf([...folders, ...files.map((file) => readFileSync(join(root, file), 'utf8'))].join('\n'));
  once(join(root, 'dist', 'client', '.gantry-setup'), key, 'building the client', () => {
    run(join(bin, 'node'), [join(root, 'scripts', 'client', 'build.ts')]);
  });
};

/** npm runs this after an installation here, and before another program that links this folder uses it. */
const prepare = () => {
  // Within `install`: the caller goes on itself.
  if (process.env.GANTRY_SETUP === 'running') return;
  const installedHere = realpathSync(process.env.npm_config_local_prefix ?? root) === realpathSync(root);
  if (!installedHere) install();
  // Not there after `npm ci --omit=dev`: what only runs Gantry needs no client.
  if (existsSync(join(root, 'node_modules', 'typescript'))) buildClient();
};

const postgresFolders = () => {
  const versions = '/usr/lib/postgresql';
  return existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : [];
};

const rabbitmq = { command: 'rabbitmq-server', package: 'rabbitmq-server', folders: () => ['/usr/sbin'] };

/** Programs that are run for real, by purpose: the command, and the Debian package that brings it. */
const realPrograms = {
  test: [
    { command: 'chromium', setting: 'CHROMIUM_PATH', package: 'chromium' },
    rabbitmq,
    { command: 'initdb', setting: 'PG_BIN', package: 'postgresql', folders: postgresFolders },
    { command: 'zsh', package: 'zsh' },
    { command: 'fish', package: 'fish' },
  ],
  monitoring: [{ command: 'promtool', setting: 'PROMTOOL_PATH', package: 'prometheus' }, rabbitmq],
};

const installRealPrograms = () => {
  const missing = (realPrograms[purpose] ?? []).filter(
    ({ command, setting, folders }) => !process.env[setting] && !inPath(command, ...(folders?.() ?? [])),
  );
  const packages = missing.map((program) => program.package);
  installPackages(packages, `the tests run ${packages.join(', ')}`);
};

if (purpose === 'prepare') {
  prepare();
  process.exit();
}
install();
buildPage();
buildClient();
installRealPrograms();
if (purpose === 'test') buildGoPrograms(cache, 'test', { say });
if (purpose === 'workflows') buildGoPrograms(cache, 'workflows', { say });
if (['kubernetes', 'charts', 'monitoring', 'workflows'].includes(purpose)) {
  installKubernetesTools(cache, { fail, inPath, installPackages, npm, once, run, say, succeeds });
}
if (purpose === 'charts' || purpose === 'workflows') {
  const requirements = join(root, 'scripts', 'charts', 'requirements.txt');
  installChartCheckers(cache, requirements, { inPath, installPackages, once, run, succeeds });
}
