import type { Page } from 'playwright-core';

const controls: ReadonlySet<unknown> = new Set([
  'button',
  'link',
  'checkbox',
  'combobox',
  'searchbox',
  'textbox',
]);

const labelsInside = `[...document.querySelectorAll('[aria-label]')]
  .filter((one) => one.checkVisibility() && one.innerText?.split('\\n').includes(one.getAttribute('aria-label')))
  .map((one) => one.getAttribute('aria-label'))`;

/**
 * What a screen reader reads twice, one right after the other: names of controls that are also their description, and
 * labels that also stand in what they label.
 */
export const saidTwice = async (page: Page): Promise<string[]> => {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send('Accessibility.getFullAXTree');
  await cdp.detach();
  const described = nodes
    .filter(({ ignored, role }) => !ignored && controls.has(role?.value))
    .filter(({ name, description }) => description?.value && String(name?.value).includes(description.value))
    .map(({ name }) => String(name?.value));
  return [...described, ...((await page.evaluate(labelsInside)) as string[])];
};
