import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { run } from '../command.ts';
import { imageValues } from '../releases.ts';
import type { Session, Step } from '../session.ts';

const script = fileURLToPath(new URL('../../../scripts/release/deploy.ts', import.meta.url));

/** `npm run deploy`, with what these values need beside. */
const deploy = ({ namespace, image }: Session, ...options: string[]) => {
  const values = imageValues(image, 'global.image').map((word) => (word === '--set-string' ? '--set' : word));
  const args = [script, '--namespace', namespace.name, ...values, ...options];
  // No setting of Gantry's: `gantry canary` would refuse it.
  return run(process.execPath, args, namespace.signal, { GANTRY_IMAGE: undefined });
};

/** Number of the deployed revision, and the value that the steps change. */
const deployed = async ({ namespace }: Session): Promise<{ revision: number; limit: unknown }> => {
  const history = JSON.parse(await namespace.helm('history', 'gantry', '--output', 'json')) as {
    revision: number;
    status: string;
  }[];
  const revision = history.findLast(({ status }) => status === 'deployed')?.revision ?? 0;
  const limit = 'jsonpath={.spec.template.spec.containers[0].env[?(@.name=="GANTRY_MAX_FILE_BYTES")].value}';
  return { revision, limit: await namespace.kubectl('get', 'deployment/web-server', '--output', limit) };
};

const limited = (limit: string): string[] => ['--set', `web-server.config.maxFileBytes=${limit}`];

export const deployFirst: Step = {
  name: 'npm run deploy, for the first time',
  async run(session) {
    const { code, out, err } = await deploy(session, ...limited('40MB'));
    assert.equal(code, 0, out + err);
    assert.match(out, /Phase: +Succeeded/);
    assert.match(out, /gantry is at revision 1$/m);
    await session.findUrl();
  },
};

const rightOne: Step = {
  name: 'npm run deploy of a version that is right, tried from outside too',
  async run(session) {
    const { code, out, err } = await deploy(session, ...limited('41MB'), '--url', session.url());
    assert.equal(code, 0, out + err);
    assert.deepEqual(await deployed(session), { revision: 2, limit: '41MB' });
  },
};

const wrongOne: Step = {
  name: 'npm run deploy of a version that runs but is wrong: taken back',
  async run(session) {
    // It starts and is ready, and takes no picture.
    const { code, out, err } = await deploy(session, ...limited('1KB'));
    assert.equal(code, 1, out + err);
    assert.match(
      err,
      /deployment failed: helm test gantry: exit code 1; gantry is at revision 4, what ran before/,
    );
    assert.deepEqual(await deployed(session), { revision: 4, limit: '41MB' });
  },
};

const brokenOne: Step = {
  name: 'npm run deploy of a version that never runs: taken back',
  async run(session) {
    const never = ['--set', 'web-server.image.tag=never-built', '--set', 'global.image.tag=never-built'];
    const { code, out, err } = await deploy(session, ...limited('42MB'), ...never, '--timeout', '40s');
    assert.equal(code, 1, out + err);
    assert.match(err, /deployment failed: helm upgrade gantry/);
    assert.equal((await deployed(session)).limit, '41MB');
    const image = 'jsonpath={.spec.template.spec.containers[0].image}';
    assert.doesNotMatch(
      await session.namespace.kubectl('get', 'deployment/web-server', '--output', image),
      /never/,
    );
    await session.load.uploadOne();
  },
};

export const deployments: readonly Step[] = [rightOne, wrongOne, brokenOne].map((step) => ({
  ...step,
  thorough: true,
}));
