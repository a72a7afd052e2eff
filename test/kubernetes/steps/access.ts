import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UploadJson } from '../../acceptance/target.ts';
import { upload } from '../../acceptance/target.ts';
import { streamed } from '../pictures.ts';
import { allRolledOut } from '../releases.ts';
import { imageEnded, insist, type Session, type Step } from '../session.ts';

const keysFile = 'api-keys.json';
/** The kubelet brings a changed Secret into running pods within a minute or two. */
const kubeletMs = 180_000;
const pollMs = 1_000;

const secretText = async ({ namespace }: Session, name: string, key: string): Promise<string> => {
  const { data } = await namespace.get<{ data: Record<string, string> }>('secret', name);
  return Buffer.from(data[key] ?? '', 'base64').toString();
};

/** Status of a list of images as this key gets it; each picture stands for a client of its own. */
const statusWith = (session: Session, key: string): Promise<number> =>
  insist(async () => {
    const headers = { authorization: `Bearer ${key}`, connection: 'close' };
    const response = await fetch(`${session.url()}/images`, { headers });
    await response.body?.cancel();
    return response.status;
  });

const switched = async ({ namespace }: Session, on: boolean): Promise<void> => {
  await namespace.helm(
    ...['upgrade', 'gantry', './charts/gantry', '--reset-then-reuse-values'],
    ...['--set', `global.apiKeys.enabled=${on}`],
  );
  await allRolledOut(namespace);
};

/** For the umbrella chart; leaves it open again, so that the books can be read. */
export const apiKeys: Step = {
  name: 'API keys by one value: who has none is refused, helm test has one, a revoked one is refused soon',
  thorough: true,
  async run(session) {
    const { namespace } = session;
    await switched(session, true);
    const [picture] = await streamed();
    assert.ok(picture);
    const files = [{ ...picture, type: picture.contentType }];
    const refused = await insist(() => upload(session.url(), files));
    assert.equal(refused.status, 401, await refused.text());

    const key = await secretText(session, 'web-server-admin-key', 'key');
    const accepted = await upload(session.url(), files, { authorization: `Bearer ${key}` });
    const text = await accepted.text();
    assert.equal(accepted.status, 202, text);
    const { correlationId: id } = JSON.parse(text) as UploadJson;
    session.load.note({ id, label: picture.label, begunAt: Date.now(), acceptedAt: Date.now(), refused: 0 });
    const { code, out, err } = await namespace.tryHelm('test', 'gantry', '--logs', '--timeout', '5m');
    assert.equal(code, 0, out + err);

    // An upgrade keeps the key; taking it out of the Secret takes it away.
    await namespace.helm('upgrade', 'gantry', './charts/gantry', '--reset-then-reuse-values');
    await allRolledOut(namespace);
    assert.equal(await secretText(session, 'web-server-admin-key', 'key'), key);
    assert.equal(await statusWith(session, key), 200);
    const none = JSON.stringify({ version: 1, keys: [] });
    const patch = JSON.stringify({ stringData: { [keysFile]: none } });
    await namespace.kubectl('patch', 'secret', 'web-server-api-keys', '--patch', patch);
    for (const late = performance.now() + kubeletMs; (await statusWith(session, key)) !== 401; ) {
      assert.ok(performance.now() < late, `the key still works after ${kubeletMs / 1000} s`);
      await sleep(pollMs);
    }
    await switched(session, false);
    await imageEnded(session, id);
  },
};
