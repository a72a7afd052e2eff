import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageJson } from '../acceptance/target.ts';
import { cat, dog, visitPage } from './visit.ts';
import { openWatchedPage } from './watched-page.ts';

const visit = visitPage();

test('details: result, timeline, JSON, reprocess, and a deletion that is undone and then is not', async () => {
  const { gantry, page, uploadByFetch, cardOf, done } = visit;
  const id = await uploadByFetch(dog, 'to-delete.jpg');
  await done('to-delete.jpg', 'dog');
  await page.getByRole('link', { name: /to-delete/ }).click();
  const dialog = page.getByRole('dialog', { name: 'to-delete.jpg' });
  await dialog.getByText('Nearest ImageNet labels').waitFor();
  await dialog.getByText('golden retriever').first().waitFor();
  // Whole, and not in a tooltip only: keyboards and fingers get at it, too.
  const image = (await (await fetch(`${gantry.url}/images/${id}`)).json()) as ImageJson;
  await dialog.getByText(image.sha256, { exact: true }).waitFor();
  const digest = image.result?.model.digest.replace('sha256:', '') ?? assert.fail();
  await dialog.getByText(digest, { exact: true }).waitFor();

  await dialog.getByRole('button', { name: 'Reprocess' }).click();
  const run = dialog.getByRole('definition').and(page.locator('dt:text-is("Run") + dd'));
  await run.filter({ hasText: '2' }).waitFor();
  await dialog.locator('.verdict').waitFor();

  const timeline = dialog.locator('.timeline').getByRole('listitem');
  await timeline.filter({ hasText: 'Result recorded' }).nth(1).waitFor();
  assert.match((await timeline.first().textContent()) ?? '', /^Accepted/);
  await timeline.filter({ hasText: 'Inference' }).first().waitFor();
  await dialog.getByText('JSON', { exact: true }).click();
  const json = await dialog.locator('.json code').textContent();
  assert.equal((JSON.parse(json ?? '') as { filename: string }).filename, 'to-delete.jpg');

  await dialog.getByRole('button', { name: 'Delete' }).click();
  await dialog.waitFor({ state: 'detached' });
  const undo = page.getByRole('button', { name: 'Undo the deletion of to-delete.jpg' });
  await undo.and(page.locator(':focus')).waitFor();
  await page.keyboard.press('Enter');
  await undo.waitFor({ state: 'detached' });
  await cardOf('to-delete.jpg').locator('.chip-succeeded').waitFor();

  await page.getByRole('link', { name: /to-delete/ }).click();
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await undo.waitFor();
  await page.mouse.move(0, 0);
  await page.locator(`[data-image="${id}"]`).waitFor({ state: 'detached' });
  assert.equal((await fetch(`${gantry.url}/images/${id}`)).status, 404);
});

test('a page that is left deletes at once what it was about to', async () => {
  const { gantry, context, page, uploadByFetch, done } = visit;
  const id = await uploadByFetch(cat, 'left-behind.png');
  await done('left-behind.png', 'cat');
  await page.getByRole('link', { name: /left-behind/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: /^Undo/ }).waitFor();
  await page.goto('about:blank');
  const other = await openWatchedPage(context, gantry.url);
  await other.page.locator(`[data-image="${id}"]`).waitFor({ state: 'detached' });
  await gantry.logged('image deleted', { imageId: id });
});

test('the arrow keys go from one open image to the next', async () => {
  const { gantry, page, uploadByFetch, done } = visit;
  await uploadByFetch(dog, 'older.jpg');
  await uploadByFetch(cat, 'newer.png');
  await done('older.jpg', 'dog');
  await done('newer.png', 'cat');
  await page.getByRole('link', { name: /newer/ }).click();
  await page.getByRole('dialog', { name: 'newer.png' }).waitFor();
  await page.keyboard.press('ArrowRight');
  const dialog = page.getByRole('dialog', { name: 'older.jpg' });
  await dialog.waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByRole('dialog', { name: 'newer.png' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await dialog.waitFor();

  await dialog.getByRole('group', { name: /zoom/ }).focus();
  await page.keyboard.press('+');
  await page.keyboard.press('+');
  await dialog.getByText('196%').waitFor();
  // Magnified, the arrow keys move the picture.
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('0');
  await dialog.getByText('100%').waitFor();
  await page.mouse.move(400, 400);
  await page.mouse.wheel(0, -300);
  await dialog.getByText('200%').waitFor();

  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.locator(':focus').filter({ hasText: 'older.jpg' }).waitFor();
  await page.waitForURL(`${gantry.url}/`);
});
