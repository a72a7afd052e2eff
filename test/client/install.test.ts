import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import lock from '../../package-lock.json' with { type: 'json' };
import { packClient } from '../../scripts/client/archive.ts';
import { packagesOf } from '../../scripts/client/package.ts';
import { npm } from '../../scripts/npm.ts';
import { type Gantry, startGantry } from '../start-gantry.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

/** A program of somebody else's, in a folder of its own. */
interface Program {
  readonly folder: string;
  install(...what: string[]): void;
}
const newProgram = async (parent: string, name: string): Promise<Program> => {
  const folder = join(parent, name);
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  return {
    folder,
    // Offline: whatever is not in the archives would not be found.
    install: (...what) =>
      void npm(folder, 'install', '--offline', '--silent', '--cache', join(parent, 'cache'), ...what),
  };
};

/** `names` and all that they depend on. */
const closureOf = (names: readonly string[]): string[] => {
  const packages: Readonly<Record<string, { version: string; dependencies?: Record<string, string> }>> =
    lock.packages;
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    Object.keys(packages[`node_modules/${name}`]?.dependencies ?? {}).forEach(add);
  };
  names.forEach(add);
  return [...found].sort();
};

/** Checks `source` as a program of that folder; only what tsc must be told is set. */
const checkTypes = async (folder: string, source: string, ...types: string[]): Promise<void> => {
  await writeFile(join(folder, 'checked.ts'), source);
  const compilerOptions = { module: 'nodenext', strict: true, skipLibCheck: false, noEmit: true, types };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['checked.ts'] }));
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch(({ stdout }) => assert.fail(stdout));
};

const withoutNodeTypes = `
import { ClientError, gantryClient, type GantryClient, type Image, type ImageEvent } from 'gantry/client';
const gantry: GantryClient = gantryClient('http://localhost:5000', { apiKey: 'a' });
const image: Image = await gantry.image('a', AbortSignal.timeout(1000));
const label: string | undefined = image.result?.label;
const { id }: { id: string } = await gantry.upload({ name: label ?? '', content: new Blob(['a']) });
for await (const event of gantry.events({ signal: AbortSignal.timeout(1000), imageId: id })) {
  const { seq }: ImageEvent = event;
  if (event.type !== 'deleted') image.error = event.image.error;
  throw new ClientError('seen', seq);
}
// @ts-expect-error: no such field, so the types are no \`any\`
image.colour;
// @ts-expect-error: no such state
gantry.images({ state: 'asleep' });
`;

suite('what other programs install', () => {
  let parent: string;
  let server: Gantry;
  let example: string;
  before(async () => {
    parent = await mkdtemp(join(tmpdir(), 'gantry-client-'));
    const page = await readFile(join(root, 'docs/client.md'), 'utf8');
    example = /```ts\n(.*?)```/s.exec(page)?.[1] ?? assert.fail('docs/client.md has no program');
    server = await startGantry();
  });
  after(async () => {
    await server.stop();
    await rm(parent, { recursive: true });
  });

  /** That the program of docs/client.md runs there, as JavaScript and as TypeScript, and that its types are right. */
  const works = async ({ folder }: Program): Promise<void> => {
    await checkTypes(folder, withoutNodeTypes);
    await mkdir(join(folder, 'node_modules/@types'));
    await symlink(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
    await checkTypes(folder, example, 'node');
    for (const file of ['label.js', 'label.ts']) {
      await writeFile(join(folder, file), example);
      const pictures = ['cats/chelsea.png', 'odd/dog_truncated.jpg', 'ATTRIBUTION.md'];
      const { stdout } = await run(
        process.execPath,
        [file, ...pictures.map((path) => join(root, 'test/fixtures', path))],
        { cwd: folder, env: { ...process.env, GANTRY_URL: server.url } },
      );
      assert.match(
        stdout,
        /chelsea\.png succeeded cat\n.*truncated\.jpg failed \S.*\n.*ATTRIBUTION\.md refused: unsupported-type \S.*\n$/,
      );
    }
  };

  test('the clone itself, linked', async () => {
    const program = await newProgram(parent, 'linking');
    program.install(root);
    await works(program);
  });

  test('an archive of the client, which brings nothing of the server', async () => {
    const program = await newProgram(parent, 'installing');
    const archive = packClient(parent);
    const packed = join(parent, 'manifest');
    await mkdir(packed);
    await run('tar', ['-xzf', archive, '-C', packed]);
    const { dependencies } = JSON.parse(await readFile(join(packed, 'package/package.json'), 'utf8'));
    const needed = closureOf(Object.keys(dependencies));
    const folders = needed.map((name) => join(root, 'node_modules', name));
    const archives = npm(parent, 'pack', '--silent', '--ignore-scripts', ...folders)
      .trim()
      .split('\n');
    program.install(archive, ...archives.map((name) => join(parent, name)));
    const installed = (await readdir(join(program.folder, 'node_modules'))).filter(
      (name) => !name.startsWith('.'),
    );
    assert.deepEqual(installed.sort(), ['gantry', ...needed].sort());
    const own = await readdir(join(program.folder, 'node_modules/gantry'), {
      recursive: true,
      withFileTypes: true,
    });
    const others = own.filter((entry) => entry.isFile() && !/\.(d\.ts|js)$/.test(entry.name));
    assert.deepEqual(others.map(({ name }) => name).sort(), ['LICENSE', 'README.md', 'package.json']);
    const shared = own.filter((entry) => entry.isDirectory() && entry.name !== 'client');
    for (const { name } of shared)
      assert.equal(name, 'pipeline', 'the setup script looks nowhere else for changes');
    assert.ok(!needed.includes('typebox'), 'types of the server are to be taken from src/client/answers.ts');
    await works(program);
  });
});

test('its dependencies are what its files import', () => {
  const sources = [
    "import { a } from 'a';\nimport type { b } from \"@b/b/c/d\";\nexport * from 'e/f';\nimport 'g';\n",
    "import {\n  h,\n} from 'h';\nimport i from './i.js';\nimport { j } from 'node:j';\nconst k = await import('k');\n",
    "export declare const l: import('l').L;\nexport const m = 'm';\nexport declare const n = \"https://n\";\n",
  ];
  assert.deepEqual(packagesOf(sources), ['@b/b', 'a', 'e', 'g', 'h', 'k', 'l']);
});

test('npm pack of the clone holds the client and nothing of the server', () => {
  const [{ files }] = JSON.parse(npm(root, 'pack', '--dry-run', '--json', '--ignore-scripts'));
  const others = files
    .map(({ path }: { path: string }) => path)
    .filter((path: string) => !path.startsWith('dist/client/'));
  assert.deepEqual(others.sort(), ['LICENSE', 'README.md', 'bin/gantry', 'package.json']);
});
