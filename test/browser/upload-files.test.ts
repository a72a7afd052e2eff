import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { brokenConnections, folderOf, noise, uploadPage } from './upload-page.ts';

const up = uploadPage();
const small = async (name: string) => ({ name, mimeType: 'image/png', buffer: await noise(8) });

test('files that are dropped, without any folder', async () => {
  const path = await folderOf(up.folder, 'loose', 2);
  await up.drop(join(path, 'loose-0.png'), join(path, 'deeper', 'loose-1.png'));
  await up.accepted('loose-0');
  await up.accepted('loose-1');
});

test('files that are dropped onto an open image are new ones: it is said before, and after how they are', async () => {
  const path = await folderOf(up.folder, 'onto', 3);
  await up.choose(await small('opened.png'));
  await up.accepted('opened');
  // It no longer counts.
  await up.uploads().waitFor({ state: 'hidden' });
  await up.page.getByRole('link', { name: /opened/ }).click();
  const dialog = up.page.getByRole('dialog', { name: 'opened.png' });
  await dialog.waitFor();
  const files = [join(path, 'onto-0.png'), join(path, 'deeper', 'onto-1.png')];
  await up.dragOver(...files);
  const sign = up.page.locator('.drop');
  await sign.getByText('Drop the images to upload them as new ones').waitFor();
  // Nothing else is drawn over it.
  const points = [
    [5, 5],
    [640, 360],
    [1240, 710],
  ];
  await up.page.evaluate("document.querySelector('.drop').style.pointerEvents = 'auto'");
  for (const [x, y] of points)
    assert.ok(await up.page.evaluate(`document.elementFromPoint(${x}, ${y}).closest('.drop') !== null`));
  up.proxy.stall();
  await up.drop(...files);
  await sign.waitFor({ state: 'detached' });
  await dialog.getByText('Uploading: 0 of 2 files').waitFor();
  up.proxy.resume();
  await dialog
    .getByRole('status')
    .filter({ hasText: /onto-\d\.png was accepted/ })
    .waitFor();
  await up.page.keyboard.press('Escape');
  await up.accepted('onto-0');
  await up.accepted('onto-1');
  up.forgive(brokenConnections);
});

test('what is dragged from one part of the page to the next is over it all the time, and then no longer', async () => {
  const path = join(await folderOf(up.folder, 'dragged', 1), 'dragged-0.png');
  const { page } = up;
  // Safari up to 26 tells of no drag where it comes from or goes to.
  await page.evaluate("Object.defineProperty(DragEvent.prototype, 'relatedTarget', { get: () => null })");
  const notice = page.getByText('Drop the images to upload them');
  await up.drag(
    [
      ['dragEnter', 20],
      ['dragOver', 20],
    ],
    [path],
  );
  await notice.waitFor();
  await page.evaluate(`{
    const { parentNode } = document.querySelector('.drop');
    globalThis.gone = 0;
    new MutationObserver((changes) => {
      for (const { removedNodes } of changes)
        for (const node of removedNodes) if (node.className === 'drop') gone += 1;
    }).observe(parentNode, { childList: true });
  }`);
  await up.drag(
    [
      ['dragOver', 120],
      ['dragOver', 300],
      ['dragOver', 20],
    ],
    [path],
  );
  assert.equal(await page.evaluate('gone'), 0);
  // Out of the window; the protocol knows no such step.
  await page.evaluate(
    "document.elementFromPoint(200, 20).dispatchEvent(new DragEvent('dragleave', { bubbles: true }))",
  );
  await notice.waitFor({ state: 'detached' });
});

test('a picture that is pasted', async () => {
  await up.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await up.page.evaluate(`(async () => {
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext('2d').fillRect(0, 0, 8, 8);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
  })()`);
  await up.page.keyboard.press('Control+V');
  await up.accepted('image.png');
});

test('on a phone there is a button for its camera, and none for folders', async () => {
  const phone = await up.browser.newContext({ hasTouch: true, isMobile: true, locale: 'en-GB' });
  try {
    const own = await phone.newPage();
    await own.goto(up.url);
    const [chooser] = await Promise.all([
      own.waitForEvent('filechooser'),
      own.getByRole('button', { name: 'Take a photo' }).click(),
    ]);
    assert.equal(await chooser.element().getAttribute('capture'), 'environment');
    assert.equal(await own.getByRole('button', { name: 'Choose a folder' }).isVisible(), false);
    await chooser.setFiles(await small('photo.png'));
    await own.locator('[data-image]').filter({ hasText: 'photo.png' }).waitFor();
  } finally {
    await phone.close();
  }
});

test('a small file whose connection was cut is sent again by itself, and stored once', async () => {
  // The server has it all; its answer never arrives.
  const cut = up.proxy.cutBefore('toClient', (bytes) => bytes.includes('HTTP/1.1 202'));
  await up.choose(await small('unanswered.png'));
  await cut;
  await up.accepted('unanswered.png');
  await up.uploads().waitFor({ state: 'hidden' });
  assert.equal(await up.named('unanswered.png'), 1);
  up.forgive(brokenConnections);
});

test('all uploads are cancelled at once', async () => {
  up.proxy.stall();
  const buffer = await noise(8);
  await up.choose(
    Array.from({ length: 12 }, (_, n) => ({ name: `all-${n}.png`, mimeType: 'image/png', buffer })),
  );
  await up.uploads().getByText('0 of 12 files').waitFor();
  await up.uploads().getByText('4 more files wait').waitFor();
  await up.uploads().getByRole('button', { name: 'Cancel all' }).click();
  await up.uploads().waitFor({ state: 'hidden' });
  up.proxy.resume();
  await up.page.getByText('Live', { exact: true }).waitFor();
  up.forgive(brokenConnections);
});

test('what is taken off the list of uploads leaves the focus in it, or at the chooser', async () => {
  const file = (name: string) => ({ name, mimeType: 'image/png', buffer: Buffer.from('no picture') });
  await up.choose([file('first.png'), file('second.png')]);
  const dismiss = (name: string) => up.uploads().getByRole('button', { name: `Dismiss: ${name}` });
  await dismiss('second.png').waitFor();
  await dismiss('first.png').press('Enter');
  await dismiss('second.png').and(up.page.locator(':focus')).waitFor();
  await up.page.keyboard.press('Enter');
  await up.page.locator('#upload-files:focus').waitFor();
  up.forgive(/status of 415/);
});

test('what is said is of the upload that ended last, wherever it is listed, and nothing is said again', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  let sent = 0;
  await up.page.route('**/upload', async (route) => {
    sent += 1;
    if (sent === 1) await answered;
    await route.continue();
  });
  const notes = { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') };
  await up.choose([await small('slow.png'), notes]);
  const said = (text: string) => up.page.getByRole('status').filter({ hasText: text });
  await said('notes.png was not accepted').waitFor();
  answer();
  await said('slow.png was accepted').waitFor();
  await up.row('slow.png').waitFor({ state: 'detached' });
  await up.row('notes.png').waitFor();
  assert.equal(await said('notes.png').count(), 0);
  up.forgive(/status of 415/);
});
