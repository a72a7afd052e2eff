import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cat, dog, visitPage } from './visit.ts';

const visit = visitPage();

test('filters are in the address, and the back and forward buttons undo and redo them', async () => {
  const { page, uploadByFetch, cardOf, done } = visit;
  await uploadByFetch(dog, 'filtered-dog.jpg');
  await uploadByFetch(cat, 'filtered-cat.png');
  await done('filtered-dog.jpg', 'dog');
  await done('filtered-cat.png', 'cat');
  await page.getByLabel('Label').selectOption('cat');
  await cardOf('filtered-dog.jpg').waitFor({ state: 'detached' });
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(new URL(page.url()).search, '?label=cat');

  await page.reload();
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(await cardOf('filtered-dog.jpg').count(), 0);
  assert.equal(await page.getByLabel('Label').inputValue(), 'cat');

  await page.goBack();
  await cardOf('filtered-dog.jpg').waitFor();
  assert.equal(await page.getByLabel('Label').inputValue(), '');

  // Letter by letter, and yet one step back.
  await page.getByLabel('File name').pressSequentially('FILTERED-D', { delay: 60 });
  await page.waitForURL(/text=FILTERED-D$/);
  await cardOf('filtered-cat.png').waitFor({ state: 'detached' });
  await cardOf('filtered-dog.jpg').waitFor();
  await page.goBack();
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(await page.getByLabel('File name').inputValue(), '');
  await page.goForward();
  await cardOf('filtered-cat.png').waitFor({ state: 'detached' });
  assert.equal(await page.getByLabel('File name').inputValue(), 'FILTERED-D');

  await page.locator('.filter-time summary').click();
  await page.getByRole('button', { name: 'Last hour' }).click();
  await page.waitForURL(/from=/);
  await cardOf('filtered-dog.jpg').waitFor();
  await page.locator('.filter-time summary').click();
  await page.getByLabel('Uploaded before').fill('2020-02-29T12:00');
  await page.getByText('No image matches the filter').waitFor();
  const until = new URL(page.url()).searchParams.get('until') ?? '';
  assert.equal(new Date(until).getTime(), new Date('2020-02-29T12:00').getTime());
  await page.getByLabel('Uploaded on').fill('2020-02-29');
  await page.waitForURL(/from=2020/);
  const { searchParams } = new URL(page.url());
  assert.equal(new Date(searchParams.get('from') ?? '').getTime(), new Date('2020-02-29T00:00').getTime());
  assert.equal(new Date(searchParams.get('until') ?? '').getTime(), new Date('2020-03-01T00:00').getTime());
  await page
    .locator('.filter-time summary')
    .filter({ hasText: /: 29 Feb 2020$/ })
    .waitFor();
  // Only small windows show it: the name and the day, whose beginning and end are one condition.
  assert.equal(await page.locator('.filter-toggle .badge').textContent(), '2');
  await page.getByRole('button', { name: 'Show all images' }).first().click();
  await cardOf('filtered-cat.png').waitFor();
  assert.equal(new URL(page.url()).search, '');
});

test('each place has its address, and the back button goes through them', async () => {
  const { page } = visit;
  await page.getByRole('link', { name: 'System' }).click();
  await page.getByRole('heading', { name: 'Model pets' }).waitFor();
  assert.equal(await page.evaluate('document.activeElement?.textContent'), 'System');
  assert.equal(await page.title(), 'System · Gantry');
  await page.getByRole('link', { name: 'Dead letters' }).click();
  await page.getByText('No dead letters').waitFor();
  assert.equal(new URL(page.url()).search, '?view=dead-letters');
  await page.goBack();
  await page.getByRole('row', { name: /^images / }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Model pets' }).waitFor();
});
