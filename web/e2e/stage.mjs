// The stage of acts: a browser, the mock whose world an act changes, and axe for what it opened.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { serve } from '../mock/server.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
let passed = 0;
const faults = [];

export async function axe(page, where) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags } }), TAGS);
  for (const one of violations) faults.push(`${where}: ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`);
}

export async function act(name, { kind, scene, path = '/' }, steps) {
  const mock = await serve({ kind, scene });
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`${name}: ${error.message}`));
  try {
    await page.goto(mock.url + path);
    await page.waitForSelector('h1');
    await steps(page, mock);
    passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    faults.push(`${name}: ${error.message}`);
  }
  await context.close();
  mock.stop();
}

export const must = (condition, text) => {
  if (!condition) throw new Error(text);
};
export const title = (page) => page.textContent('h1');

/** The end: what failed, and how many passed. */
export async function curtain() {
  await browser.close();
  for (const fault of faults) console.error(`FAIL ${fault}`);
  console.log(`${passed} passed, ${faults.length} failed`);
  process.exit(faults.length > 0 ? 1 : 0);
}
