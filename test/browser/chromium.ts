import { type Browser, chromium } from 'playwright-core';

/** Starts the Chromium that is installed: CHROMIUM_PATH, else the one of Debian. Its sandbox would refuse root. */
export const launchChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
