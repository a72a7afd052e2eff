import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { poisonModel } from '../poison.ts';
import { startGantry } from '../start-gantry.ts';
import { visitPage } from './visit.ts';

const visit = visitPage();

test('dead letters say why and how often, and are replayed one by one or all at once', async () => {
  const { context } = visit;
  const other = await startGantry({ env: { GANTRY_MODEL: poisonModel, GANTRY_MAX_ATTEMPTS: '1' } });
  try {
    const white = { create: { width: 64, height: 64, channels: 3, background: 'white' } } as const;
    // A page of its own: requests to this server are another origin to the common one.
    const own = await context.newPage();
    await own.goto(other.url);
    const buffer = await sharp(white).png().toBuffer();
    const files = ['one.png', 'two.png'].map((name) => ({ name, mimeType: 'image/png', buffer }));
    await own.locator('input[type=file]').first().setInputFiles(files);
    await own
      .locator('.chip-dead')
      .getByText(/Dead: \S/)
      .nth(1)
      .waitFor();

    await own.getByRole('link', { name: /Dead letters/ }).click();
    const letter = own.locator('.letter').filter({ hasText: 'one.png' });
    await letter.getByText('1 attempt').waitFor();
    assert.match((await letter.locator('.letter-reason').textContent()) ?? '', /\S+ \S+/);
    await letter.getByRole('button', { name: /^Replay\W+one/ }).click();
    // The states in between pass faster than anybody can look; the run's number stays.
    await letter.getByText('run 2').waitFor();
    await letter.getByRole('link').click();
    await own.getByRole('dialog').getByText('Every attempt failed').waitFor();
    await own.keyboard.press('Escape');

    await own.getByRole('button', { name: 'Replay all 2' }).click();
    await own.getByRole('button', { name: 'Replay all 2' }).click();
    await own.getByText(/^\d images? (is|are) queued again/).waitFor();
    await own.locator('.letter').filter({ hasText: 'two.png' }).getByText('run 2').waitFor();
    await own.locator('.letter').filter({ hasText: 'one.png' }).getByText('run 3').waitFor();
  } finally {
    await other.stop();
  }
});
