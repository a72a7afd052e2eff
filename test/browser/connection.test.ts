import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startGantry } from '../start-gantry.ts';
import { cat, dog, visitPage } from './visit.ts';

const visit = visitPage();

test('without an event stream the page asks again and again', async () => {
  const { gantry, context, uploadByFetch } = visit;
  await context.route('**/events', (route) => route.abort());
  const polling = await context.newPage();
  await polling.goto(gantry.url);
  await polling.getByText('Updated every few seconds').waitFor();
  await uploadByFetch(cat, 'asked-for.png');
  await polling
    .getByRole('listitem')
    .filter({ hasText: 'asked-for' })
    .getByText('cat', { exact: true })
    .waitFor();
});

test('a lost connection is said, and the list is right again once it is back', async () => {
  const { context, page, uploadByFetch, done } = visit;
  await context.setOffline(true);
  await page.getByText(/Offline|Reconnecting/).waitFor();
  await uploadByFetch(dog, 'while-away.jpg');
  await context.setOffline(false);
  await page.getByText('Live', { exact: true }).waitFor();
  await done('while-away.jpg', 'dog');
  visit.faults = visit.faults.filter((fault) => !fault.includes('net::ERR_INTERNET_DISCONNECTED'));
});

test('the page survives a restart of the server', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'gantry-restart-'));
  let own = await startGantry({ dataDir });
  try {
    const { port } = new URL(own.url);
    const page = await visit.context.newPage();
    const choose = async (name: string) =>
      page
        .locator('input[type=file]')
        .setInputFiles({ name, mimeType: 'image/png', buffer: await readFile(cat) });
    const done = (name: string) =>
      page.locator('.virtual > li').filter({ hasText: name }).locator('.chip-succeeded').waitFor();
    await page.goto(own.url);
    // Only a list that was loaded can be out of date.
    await choose('before.png');
    await done('before.png');
    await own.stop();
    await page.getByText('Reconnecting…').waitFor();
    await page.getByText(/No connection to the server/).waitFor();
    own = await startGantry({ dataDir, args: ['--port', port] });
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText(/No connection to the server/).waitFor({ state: 'detached' });
    await choose('afterwards.png');
    await done('afterwards.png');
    await done('before.png');
  } finally {
    await own.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
});
