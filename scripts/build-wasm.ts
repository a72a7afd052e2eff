// `npm run build:wasm`: compiles assembly/resample.ts to src/classifier/resample.wasm, which is kept in Git, so that
// nobody who runs Gantry needs the compiler. `--check` (npm run check:wasm) says whether that file is up to date.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'src', 'classifier', 'resample.wasm');
const compiler = fileURLToPath(new URL('../bin/asc.js', import.meta.resolve('assemblyscript')));

const folder = mkdtempSync(join(dirname(target), '.wasm-'));
try {
  const made = join(folder, 'made.wasm');
  const options = ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'];
  const args = [compiler, join('assembly', 'resample.ts'), '--outFile', made, ...options];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exitCode = 1;
  else if (!process.argv.includes('--check')) renameSync(made, target);
  else if (!readFileSync(made).equals(readFileSync(target))) {
    process.stderr.write(
      'src/classifier/resample.wasm is not what assembly/resample.ts makes: npm run build:wasm\n',
    );
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
