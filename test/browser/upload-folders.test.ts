import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderOf, uploadPage } from './upload-page.ts';

const up = uploadPage();
const chooseFolder = async (path: string): Promise<void> => {
  const [chooser] = await Promise.all([
    up.page.waitForEvent('filechooser'),
    up.page.getByRole('button', { name: 'Choose a folder' }).click(),
  ]);
  await chooser.setFiles(path);
};
const passedOver = (words: string) => up.uploads().getByText(words, { exact: true });

test('a folder that is dropped: every picture in it, at any depth, with previews and one bar for all', async () => {
  const count = 250;
  const dropped = await folderOf(up.folder, 'dropped', count);
  await up.page.evaluate(`
    globalThis.most = { rows: 0, urls: 0 };
    new MutationObserver(() => {
      most.rows = Math.max(most.rows, document.querySelectorAll('.upload-row').length);
      most.urls = Math.max(most.urls, objectUrls.size);
    }).observe(document.body, { childList: true, subtree: true });
  `);
  const bar = up.uploads().getByRole('progressbar', { name: 'All uploads' });
  const seen = Promise.all([bar.waitFor(), up.uploads().locator('.upload-preview img').first().waitFor()]);
  await up.drop(dropped);
  await seen;
  await up.uploads().getByText(`of ${count} files`).waitFor();
  await bar.waitFor({ state: 'detached' });
  await up.uploads().getByRole('listitem').first().waitFor({ state: 'detached' });
  assert.equal(await up.named('dropped-'), count);
  assert.equal(await up.named('hidden'), 0);
  const most = (await up.page.evaluate('most')) as { rows: number; urls: number };
  assert.ok(most.urls > 0 && most.urls <= most.rows, JSON.stringify(most));
  // However many there are, the list stays short; accepted ones are shown for some seconds.
  assert.ok(most.rows < count, JSON.stringify(most));
  await up.nobodyHolds();
});

test('a folder that is chosen with the button', async () => {
  await chooseFolder(await folderOf(up.folder, 'chosen', 5));
  await up.accepted('chosen-4');
  await up.uploads().getByRole('listitem').first().waitFor({ state: 'detached' });
  assert.equal(await up.named('chosen-'), 5);
});

test('what is no picture by its name is passed over in a folder, and said; chosen singly it goes to the server', async () => {
  const path = await folderOf(up.folder, 'mixed', 2);
  await writeFile(join(path, 'film.mp4'), 'no picture');
  await writeFile(join(path, 'deeper', 'notes.txt'), 'no picture');
  for (const bring of [up.drop, chooseFolder]) {
    await bring(path);
    await passedOver('3 other files were passed over').click();
    await up.uploads().getByText('mixed/deeper/notes.txt', { exact: true }).waitFor();
    await up.uploads().getByText('mixed/film.mp4', { exact: true }).waitFor();
    await up.accepted('mixed-1');
    assert.equal(await up.uploads().getByText('Refused').count(), 0);
    await up.uploads().getByRole('button', { name: 'Dismiss: 3 other files' }).click();
    await up.uploads().waitFor({ state: 'hidden' });
  }
  await up.drop(path, join(path, 'film.mp4'));
  await up
    .row('film.mp4')
    .getByText(/the file is no JPEG/)
    .waitFor();
  await passedOver('3 other files were passed over').waitFor();
  up.forgive(/status of 415/);
});

test('a folder without any picture is no silence', async () => {
  const path = join(up.folder, 'empty');
  await mkdir(path);
  await up.drop(path);
  await passedOver('There is no picture in this folder').waitFor();
  await writeFile(join(path, 'one.txt'), 'no picture');
  await up.drop(path);
  await passedOver('1 other file was passed over').waitFor();
});

test('ten thousand pictures in a folder: the page stays short, and all are cancelled at once', async () => {
  const path = join(up.folder, 'many');
  await mkdir(path);
  for (let n = 0; n < 10_000; n += 1) await writeFile(join(path, `${n}.png`), '');
  for (let n = 0; n < 10_000; n += 1) await writeFile(join(path, `${n}.txt`), '');
  up.proxy.stall();
  await up.drop(path);
  await up.uploads().getByText('0 of 10,000 files').waitFor();
  await passedOver('10,000 other files were passed over').click();
  await up.uploads().getByText('9,900 more').waitFor();
  const elements = Number(await up.uploads().locator('*').count());
  assert.ok(elements < 500, `${elements} elements`);
  await up.uploads().getByRole('button', { name: 'Cancel all' }).click();
  await up.uploads().getByRole('listitem').filter({ hasText: '.png' }).first().waitFor({ state: 'detached' });
  up.proxy.resume();
  await up.page.getByText('Live', { exact: true }).waitFor();
});
