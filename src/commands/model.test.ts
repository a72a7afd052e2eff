import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';

const fixtures = join(import.meta.dirname, '../../test/fixtures');
const colours = join(fixtures, 'models/colours');

/** Runs the command in a process of its own, with the errors that it throws on stderr. */
const modelIn = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const script = `
      import { modelCommand } from './model.ts';
      await modelCommand().parseAsync(process.argv.slice(1), { from: 'user' }).catch((error) => {
        console.error(error.code + ': ' + error.message);
        process.exit(1);
      });`;
    const all = ['--input-type=module', '-e', script, '--', ...args];
    execFile(process.execPath, all, { cwd: import.meta.dirname, env }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
const model = (...args: string[]) => modelIn(process.env, ...args);

suite('model check', () => {
  test('leaves nothing in the home folder, where ONNX Runtime keeps what its telemetry sends', async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'gantry-home-'));
    t.after(() => rm(home, { recursive: true }));
    // Under CI the runtime sends nothing anyway.
    const { CI: _, ...env } = process.env;
    assert.equal((await modelIn({ ...env, HOME: home }, 'check', colours)).code, 0);
    assert.deepEqual(await readdir(home), []);
  });

  test('prints what a model is and what it says of a picture', async () => {
    const { code, stdout } = await model('check', colours, '--image', join(fixtures, 'others/cow.webp'));
    assert.equal(code, 0);
    for (const line of [
      /^colours 1\.0\.0$/m,
      /^ {2}sha256 +[0-9a-f]{64}$/m,
      /^ {2}licence +Apache-2\.0$/m,
      /^ {2}input +input: float32 batch x 3 x 8 x 8 \(NCHW, RGB\)$/m,
      /^ {2}labels +dog, cat, other \(output scores/m,
      /^ {2}accuracy +not measured$/m,
      /^Tried on .*cow\.webp \(1024x768\)$/m,
      /^ {2}result +(dog|cat|other), \d+\.\d % \(dog/m,
      /^ {2}timings +load \d+ ms, decode /m,
    ])
      assert.match(stdout, line);
  });

  test('says so when the picture is made up, also as JSON', async () => {
    const { stdout } = await model('check', colours, '--json');
    const { model: info, picture, result } = JSON.parse(stdout);
    assert.equal(info.name, 'colours');
    assert.equal(info.classes, 3);
    assert.match(picture.source, /plain grey/);
    assert.deepEqual(Object.keys(result.scores), ['dog', 'cat', 'other']);
  });

  test('is one line and exit code 1 for a broken model or picture', async () => {
    for (const [args, line] of [
      [['/nowhere'], /^model-missing: \/nowhere\/manifest\.json: there is no such file\n$/],
      [[colours, '--image', '/nowhere.jpg'], /^picture-unusable: \/nowhere\.jpg: there is no such file\n$/],
      [[colours, '--image', join(fixtures, 'odd/cat.heic')], /^picture-unusable: .*HEIC.*\n$/],
    ] as const) {
      const { code, stdout, stderr } = await model('check', ...args);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, line);
    }
  });
});
