import type { BrowserContext, Page } from 'playwright-core';

/** A page, and what happened on it that never must: console errors, refused content, requests to another origin. */
export interface WatchedPage {
  readonly page: Page;
  readonly faults: string[];
}

/** Opens a page of the server at `url` and writes down its faults from the first byte on. */
export const openWatchedPage = async (context: BrowserContext, url: string): Promise<WatchedPage> => {
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(`uncaught: ${error.message}`));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (protocol !== 'blob:' && protocol !== 'data:' && origin !== url) faults.push(`request: ${origin}`);
  });
  await page.exposeFunction('reportViolation', (what: string) => faults.push(`CSP: ${what}`));
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', (event) =>
      reportViolation(event.violatedDirective + ' ' + event.blockedURI));`,
  );
  await page.goto(url);
  return { page, faults };
};
