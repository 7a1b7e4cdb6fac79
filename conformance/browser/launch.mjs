// The headless Chromium of the package, unpacked below TMPDIR.
import chromium from '@sparticuz/chromium';
import puppeteer from 'puppeteer-core';

export const launch = async () =>
  puppeteer.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, '--no-sandbox'],
    headless: 'shell',
  });
