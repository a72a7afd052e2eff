import type { Page } from 'playwright-core';

/** What the window shows of the list: places in it, names and pixels, from top to bottom. */
export const shown = (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('.virtual > li')]
    .map((item) => [item.getBoundingClientRect(), item])
    .filter(([box]) => box.bottom > 0 && box.top < innerHeight)
    .map(([box, item]) => [item.ariaPosInSet, item.querySelector('.card-name')?.textContent, box.top].join(' '))
    .sort((a, b) => Number.parseInt(a) - Number.parseInt(b))`);

/** The place in the list that a row of {@link shown} tells, from 1. */
export const placeOf = (row = ''): number => Number.parseInt(row, 10);
/** The name that it tells. */
export const nameOf = (row = ''): string => row.split(' ').slice(1, -1).join(' ');

/** Scrolls by so many pixels; resolves with what is seen then. */
export const scrollBy = async (page: Page, pixels: number): Promise<readonly string[]> => {
  await page.evaluate(`new Promise((resolve) => {
    addEventListener('scroll', () => requestAnimationFrame(() => requestAnimationFrame(resolve)), { once: true });
    scrollBy(0, ${pixels});
  })`);
  await page.locator('.card-skeleton').first().waitFor({ state: 'detached' });
  return shown(page);
};

/** To the end of what is loaded, again and again, until so many images are or there are no more. */
export const scrollDown = (page: Page, until: number): Promise<void> =>
  page.evaluate(`new Promise((resolve) => {
    const step = () => {
      const last = document.querySelector('.virtual > li:last-of-type');
      if (document.querySelector('.list-end') || Number(last?.ariaPosInSet) >= ${until}) return resolve();
      scrollTo(0, document.documentElement.scrollHeight);
      requestAnimationFrame(step);
    };
    step();
  })`);

/** Scrolls down until the image at this place is loaded, and then some pixels of a row; resolves with what is seen. */
export const scrollTo = async (page: Page, place: number): Promise<readonly string[]> => {
  await scrollDown(page, place);
  return scrollBy(page, -137);
};

/** Follows a link of the navigation from wherever the page is scrolled to. */
export const follow = async (page: Page, name: string): Promise<void> => {
  await page
    .getByRole('navigation')
    .getByRole('link', { name })
    .evaluate((link: { focus(options: object): void }) => link.focus({ preventScroll: true }));
  await page.keyboard.press('Enter');
};
