// What a person does in the console of a real node, for tests that start one: `node by-hand.mjs approve|acknowledge`.
// SERENO_URL, SERENO_USER and SERENO_PASSWORD say where and who; SERENO_PICTURE keeps what was seen last.
import { chromium } from 'playwright-core';

const { SERENO_URL, SERENO_USER, SERENO_PASSWORD, SERENO_PICTURE } = process.env;
const PATIENCE_MS = 60_000;

const ACTS = {
  /** Says yes to the proposal that waits. */
  async approve(page) {
    await page.goto(`${SERENO_URL}/approvals`);
    const first = page.locator('main section.panel').first();
    await first.getByLabel('A word with the answer').fill('Seen on the camera.');
    await first.getByRole('button', { name: 'Yes, start it' }).click();
    await page.locator('.banner.good', { hasText: 'was started' }).getByRole('link', { name: 'Open the run' }).waitFor();
  },
  /** Answers the sender of the newest incident. */
  async acknowledge(page) {
    await page.goto(`${SERENO_URL}/incidents`);
    await page.locator('main table a[data-row]').first().click();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByRole('button', { name: 'Acknowledge and answer' }).click();
    await page.getByText('Acknowledged by').first().waitFor();
  },
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce' });
page.setDefaultTimeout(PATIENCE_MS);
try {
  await page.goto(`${SERENO_URL}/sign-in`);
  await page.fill('input[name="username"]', SERENO_USER);
  await page.fill('input[name="password"]', SERENO_PASSWORD);
  await page.click('button[type="submit"]');
  await page.waitForSelector('.frame');
  await ACTS[process.argv[2]](page);
} finally {
  if (SERENO_PICTURE) await page.screenshot({ path: SERENO_PICTURE, fullPage: true }).catch(() => {});
  await browser.close();
}
