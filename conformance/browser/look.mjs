// Looks at pages in a headless Chromium and says what is wrong with each. A line of JSON for each look.
// node look.mjs [--shots FOLDER] NAME=URL…
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { launch } from './launch.mjs';

const WIDTHS = [600, 1600];
const THEMES = ['light', 'dark'];
// of a picture: the rest of a long page is more of the same
const TALLEST = 1400;

// Runs in the page.
function inspect() {
  const wrong = [];
  const shown = (element) => {
    const style = getComputedStyle(element);
    return style.visibility !== 'hidden' && style.display !== 'none' && style.clipPath === 'none';
  };
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} px wide`);

  // Every run of text, with the boxes of its lines.
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('style, details:not([open]) > :not(summary)')) continue;
    let hidden = false;
    for (let up = element; up; up = up.parentElement) hidden ||= !shown(up);
    if (hidden) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    texts.push({ element, text: node.data.trim(), boxes: [...range.getClientRects()] });
  }

  for (const { element, text, boxes } of texts) {
    const box = element.closest('td, th, dd, dt, p, li, caption, pre, main').getBoundingClientRect();
    for (const line of boxes) {
      if (line.left < box.left - 1 || line.right > box.right + 1) wrong.push(`\`${text}\` sticks out of its box`);
    }
  }
  for (let one = 0; one < texts.length; one += 1) {
    for (let other = one + 1; other < texts.length; other += 1) {
      for (const a of texts[one].boxes) {
        for (const b of texts[other].boxes) {
          const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (width > 2 && height > 4) wrong.push(`\`${texts[one].text}\` and \`${texts[other].text}\` overlap`);
        }
      }
    }
  }

  // WCAG 2.2, "Contrast (Minimum)": 4.5 to 1 for text of this size.
  const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = ([red, green, blue]) => {
    const linear = [red, green, blue].map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const background = (element) => {
    for (let up = element; up; up = up.parentElement) {
      const colour = channels(getComputedStyle(up).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let least = 21;
  for (const { element, text } of texts) {
    const [light, dark] = [luminance(channels(getComputedStyle(element).color)), luminance(background(element))].sort(
      (one, other) => other - one,
    );
    const contrast = (light + 0.05) / (dark + 0.05);
    least = Math.min(least, contrast);
    if (contrast < 4.5) wrong.push(`\`${text}\` has a contrast of ${contrast.toFixed(2)}`);
  }
  return { wrong: [...new Set(wrong)], texts: texts.length, least };
}

const parameters = process.argv.slice(2);
const shots = parameters[0] === '--shots' ? parameters.splice(0, 2)[1] : null;
const browser = await launch();
for (const parameter of parameters) {
  const [name, url] = [parameter.slice(0, parameter.indexOf('=')), parameter.slice(parameter.indexOf('=') + 1)];
  for (const theme of THEMES) {
    for (const width of WIDTHS) {
      const page = await browser.newPage();
      const said = [];
      page.on('console', (message) => said.push(message.text()));
      page.on('pageerror', (error) => said.push(error.message));
      page.on('requestfailed', (request) => said.push(`${request.url()} failed`));
      const asked = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('dialog', (dialog) => {
        said.push(`a dialog: ${dialog.message()}`);
        dialog.dismiss();
      });
      await page.setViewport({ width, height: 900 });
      const answer = await page.goto(theme === 'dark' ? `${url}${url.includes('?') ? '&' : '?'}theme=dark` : url);
      const { wrong, texts, least } = await page.evaluate(inspect);
      if (shots) {
        const path = `${shots}/${name}-${width}-${theme}.png`;
        mkdirSync(dirname(path), { recursive: true });
        const { height } = await (await page.$('main')).boundingBox();
        await page.screenshot({ path, clip: { x: 0, y: 0, width, height: Math.min(height, TALLEST) } });
      }
      const others = asked.filter((one) => !one.startsWith('data:')).length - 1;
      if (others) wrong.push(`${others} more requests: ${asked}`);
      const look = { name, theme, width, status: answer.status(), wrong: [...wrong, ...said], texts, least };
      const once = width === WIDTHS[0];
      const shown = once ? await page.evaluate(() => document.body.innerText) : undefined;
      console.log(JSON.stringify({ ...look, html: once ? await answer.text() : undefined, shown }));
      await page.close();
    }
  }
}
await browser.close();
