import assert from 'node:assert/strict';
import type { ImageJson } from '../../acceptance/target.ts';
import { streamed } from '../pictures.ts';
import { allRolledOut, imageValues, installed, podsOf, rolledOut } from '../releases.ts';
import { imageEnded, type Session, type Step } from '../session.ts';
import { assertRight, helmTests, uploadOnce } from './guide.ts';
import { drainedSeamlessly } from './nodes.ts';

const rate = 3;

export const installUmbrella: Step = {
  name: 'helm install of the umbrella chart with PostgreSQL and two of each',
  async run(session) {
    const { namespace, image } = session;
    await namespace.helm(
      ...['install', 'gantry', './charts/gantry', '--set', 'postgresql.enabled=true'],
      ...['--set', 'web-server.replicaCount=2', '--set', 'consumer.replicaCount=2'],
      ...imageValues(image, 'global.image'),
    );
    await session.findUrl();
    await installed(namespace, 'statefulset/postgresql');
  },
};

/** Opens a way to each web server of its own. */
const eachWebServer = async ({ namespace }: Session) => {
  const pods = await podsOf(namespace, 'web-server');
  assert.equal(pods.length, 2, 'there are not two web servers');
  return Promise.all(pods.map(({ metadata }) => namespace.forward(`pod/${metadata.name}`, 5000)));
};

const eachSeesAll: Step = {
  name: 'uploads through both web servers, each sees all',
  async run(session) {
    const ways = await eachWebServer(session);
    try {
      const pictures = await streamed();
      const uploaded = new Map(
        await Promise.all(
          pictures.map(async (picture, number) => {
            const { url } = ways[number % ways.length] ?? { url: '' };
            return [await uploadOnce(session, url, picture), picture] as const;
          }),
        ),
      );
      for (const id of uploaded.keys()) await imageEnded(session, id);
      for (const { url } of ways) {
        for (const [id, picture] of uploaded) {
          const response = await fetch(`${url}/images/${id}`);
          assert.equal(response.status, 200, `${url} does not know ${id}`);
          assertRight((await response.json()) as ImageJson, picture);
        }
      }
    } finally {
      for (const way of ways) await way[Symbol.asyncDispose]();
    }
  },
};

const oneDeleted: Step = {
  name: 'one of two web servers deleted: not one upload refused',
  stream: rate,
  seamless: true,
  async run({ namespace }) {
    const [pod] = await podsOf(namespace, 'web-server');
    await namespace.kubectl('delete', 'pod', pod?.metadata.name ?? '');
    await rolledOut(namespace, 'deployment/web-server');
  },
};

const upgraded: Step = {
  name: 'helm upgrade of two web servers: not one upload refused',
  stream: rate,
  seamless: true,
  async run({ namespace }) {
    await namespace.helm(
      ...['upgrade', 'gantry', './charts/gantry', '--reuse-values'],
      ...['--set', 'web-server.config.maxFileBytes=40MB', '--set', 'consumer.config.maxBatch=2'],
    );
    await allRolledOut(namespace);
  },
};

export const postgresql: readonly Step[] = [
  eachSeesAll,
  oneDeleted,
  upgraded,
  drainedSeamlessly,
  helmTests(['gantry'], { thorough: true }),
];
