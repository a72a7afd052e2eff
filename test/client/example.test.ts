import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startGantry } from '../start-gantry.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

test('the program in docs/client.md is checked by tsc, and runs', async (t) => {
  const page = await readFile(join(root, 'docs/client.md'), 'utf8');
  const program = /```ts\n(.*?)```/s.exec(page)?.[1] ?? assert.fail('docs/client.md has no program');
  const folder = await mkdtemp(join(tmpdir(), 'gantry-client-'));
  const server = await startGantry();
  t.after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });
  // What `npm install ../gantry` makes of a folder.
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
  await symlink(root, join(folder, 'node_modules/gantry'));
  await symlink(join(root, 'node_modules/@types/node'), join(folder, 'node_modules/@types/node'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await writeFile(join(folder, 'label.ts'), program);
  const compilerOptions = {
    ...{ module: 'nodenext', target: 'esnext', strict: true, noEmit: true, types: ['node'] },
    allowImportingTsExtensions: true,
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  await run(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch(({ stdout }) => assert.fail(stdout));

  const pictures = ['cats/chelsea.png', 'odd/dog_truncated.jpg', 'ATTRIBUTION.md'];
  const { stdout } = await run(
    process.execPath,
    ['label.ts', ...pictures.map((path) => join(root, 'test/fixtures', path))],
    { cwd: folder, env: { ...process.env, GANTRY_URL: server.url } },
  );
  assert.match(
    stdout,
    /chelsea\.png succeeded cat\n.*truncated\.jpg failed \S.*\n.*ATTRIBUTION\.md refused: unsupported-type \S.*\n$/,
  );
});
