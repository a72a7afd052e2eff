import type { Page } from 'playwright-core';

const controls: ReadonlySet<unknown> = new Set([
  'button',
  'link',
  'checkbox',
  'combobox',
  'searchbox',
  'textbox',
]);

/** The names of the controls that a screen reader also gets as a description: it reads them one after the other. */
export const saidTwice = async (page: Page): Promise<string[]> => {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');
  await cdp.detach();
  return nodes
    .filter(({ ignored, role }) => !ignored && controls.has(role?.value))
    .filter(({ name, description }) => description?.value && String(name?.value).includes(description.value))
    .map(({ name }) => String(name?.value));
};
