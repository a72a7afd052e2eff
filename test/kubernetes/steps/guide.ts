import assert from 'node:assert/strict';
import type { ImageJson, UploadJson } from '../../acceptance/target.ts';
import { upload } from '../../acceptance/target.ts';
import { openManagement } from '../management.ts';
import { everyFormat, type Picture } from '../pictures.ts';
import { charts, install, installed, scaleConsumer } from '../releases.ts';
import { imageEnded, type Session, type Step } from '../session.ts';

/** Uploads as the guide's curl does: `POST /upload`, field `image`. Returns the correlation ID. */
export const uploadOnce = async (session: Session, url: string, picture: Picture): Promise<string> => {
  const begunAt = Date.now();
  const response = await upload(url, [{ ...picture, type: picture.contentType }]);
  const text = await response.text();
  assert.equal(response.status, 202, `${picture.name}: ${text}`);
  const { correlationId: id } = JSON.parse(text) as UploadJson;
  session.load.note({ id, label: picture.label, begunAt, acceptedAt: Date.now(), refused: 0 });
  return id;
};

/** Asserts that the image came out as its picture is known to. */
export const assertRight = (image: ImageJson, { name, label, contentType }: Picture): void => {
  assert.equal(image.state, 'succeeded', `${name}: ${JSON.stringify(image.error)}`);
  assert.equal(image.result?.label, label, `${name}: ${JSON.stringify(image.result?.scores)}`);
  assert.equal(image.contentType, contentType);
  assert.equal(image.filename, name);
};

export const installInOrder: Step = {
  name: 'helm install of the three charts, no value set',
  async run(session) {
    for (const chart of charts) await install(session, chart);
    await installed(session.namespace);
  },
};

const look: Step = {
  name: 'helm list and kubectl get all name what was installed',
  async run({ namespace }) {
    const releases = await namespace.helm('list', '--output', 'json');
    const found = JSON.parse(releases) as { name: string; status: string }[];
    assert.deepEqual(
      found.map(({ name, status }) => `${name} ${status}`).sort(),
      charts.map(({ release }) => `${release} deployed`).sort(),
    );
    const all = await namespace.kubectl('get', 'all');
    for (const object of [
      ...['service/rabbitmq', 'service/web-server', 'statefulset.apps/rabbitmq', 'pod/rabbitmq-0'],
      ...['deployment.apps/web-server', 'deployment.apps/consumer'],
    ])
      assert.match(all, new RegExp(`^${object} `, 'm'));
    assert.match(all, /^service\/web-server +NodePort .* 5000:\d+\/TCP/m);
    const claims = await namespace.kubectl('get', 'pvc');
    for (const claim of ['rabbitmq-pvc', 'web-server-pvc', 'web-server-db-pvc'])
      assert.match(claims, new RegExp(`^${claim} +Bound `, 'm'));
  },
};

const endToEnd: Step = {
  name: 'upload, the ID in the queue, the consumer’s log, the result: each format',
  async run(session) {
    const { namespace, url } = session;
    await scaleConsumer(session, 0);
    const uploaded = new Map<string, Picture>();
    for (const picture of await everyFormat())
      uploaded.set(await uploadOnce(session, url(), picture), picture);
    {
      await using management = await openManagement(namespace);
      await management.holds('images', uploaded.size, 30_000);
      const bodies = await management.peek('images', uploaded.size);
      for (const [id, { name }] of uploaded)
        assert.ok(
          bodies.some((body) => body.includes(id)),
          `${name}: the queue \`images\` does not hold ${id}`,
        );
    }
    await scaleConsumer(session, 1);
    for (const [id, picture] of uploaded) assertRight(await imageEnded(session, id), picture);
    const log = await namespace.kubectl('logs', 'deployment/consumer');
    for (const [id, { name, label }] of uploaded) {
      const about = log.split('\n').filter((line) => line.includes(id));
      assert.ok(
        about.some((line) => line.includes('image retrieved')),
        `${name}: the consumer’s log does not tell that ${id} was retrieved`,
      );
      assert.ok(
        about.some((line) => line.includes(`"label":"${label}"`)),
        `${name}: the consumer’s log does not tell that ${id} is a ${label}`,
      );
    }
  },
};

/** `helm test` of each release. */
export const helmTests = (releases: readonly string[], rest: Partial<Step> = {}): Step => ({
  ...rest,
  name: `helm test ${releases.join(', ')}`,
  async run({ namespace }) {
    for (const release of releases) {
      const { code, out, err } = await namespace.tryHelm('test', release, '--logs', '--timeout', '5m');
      assert.equal(code, 0, `helm test ${release}: ${out}${err}`);
      assert.match(out, /Phase: +Succeeded/, `helm test ${release} tested nothing`);
    }
  },
});

export const guide: readonly Step[] = [look, endToEnd, helmTests(charts.map(({ release }) => release))];

export const installInReverse: Step = {
  name: 'helm install of the three charts in the reverse order',
  async run(session) {
    for (const chart of [...charts].reverse()) await install(session, chart);
    await installed(session.namespace);
  },
};

export const onePictureEach: Step = {
  name: 'a picture of each format comes through',
  async run(session) {
    const uploaded = new Map<string, Picture>();
    for (const picture of await everyFormat())
      uploaded.set(await uploadOnce(session, session.url(), picture), picture);
    for (const [id, picture] of uploaded) assertRight(await imageEnded(session, id), picture);
  },
};
