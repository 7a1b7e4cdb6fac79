// Looks at the bars of a page that loads itself again, until the first one has moved or none is left. A line for each look.
// node bar.mjs URL
import { launch } from './launch.mjs';

// Runs in the page.
const bars = () =>
  [...document.querySelectorAll('[role=progressbar]')].map((bar) => ({
    percent: Number(bar.getAttribute('aria-valuenow')),
    share: bar.firstElementChild.getBoundingClientRect().width / bar.clientWidth,
  }));

const browser = await launch();
const page = await browser.newPage();
const seen = new Set();
let loaded = page.goto(process.argv[2]);
for (let found = [null]; found.length && seen.size < 2; ) {
  await loaded;
  loaded = page.waitForNavigation();
  // the browser may be closed first
  loaded.catch(() => {});
  found = await page.evaluate(bars);
  if (found.length) seen.add(found[0].percent);
  console.log(JSON.stringify(found));
}
await browser.close();
