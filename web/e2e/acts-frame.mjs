// The frame: search, commands, keys, looks, languages, views, faults of the line and of the session, the wall.
import { serve } from '../mock/server.mjs';
import { act, axe, must } from './stage.mjs';

const until = (page, test, arg) => page.waitForFunction(test, arg, { timeout: 15_000 });

await act('search shows everything while one types, by keyboard, and has a page of its own', {}, async (page) => {
  await page.waitForSelector('.feed');
  const asked = [];
  page.on('request', (request) => request.url().includes('/api/v1/search') && asked.push(request.url()));
  await page.keyboard.press('/');
  await page.keyboard.type('tram', { delay: 20 });
  await page.waitForSelector('#search-list [role="option"] .search-head');
  must(asked.length <= 2, `typing four letters asked ${asked.length} times`);
  await axe(page, 'search');
  await page.screenshot({ path: 'test-results/frame-search.png' });
  await page.keyboard.press('ArrowDown');
  must((await page.getAttribute('#found-0', 'aria-selected')) === 'true', 'the first result is not chosen');
  await page.keyboard.press('Enter');
  await page.waitForURL(/incidents\/|devices\/|findings\//);
  await page.keyboard.press('/');
  await page.fill('input[type="search"]', 'heron');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/search?q=heron');
  await until(page, () => /for “heron”|is called “heron”/.test(document.querySelector('h1')?.textContent ?? ''));
  await axe(page, 'all results');
});

await act('commands find acts of the page, fuzzily, and copy what was done as curl', { path: '/findings' }, async (page) => {
  await page.click('table a[data-row]');
  await page.getByLabel('Reason').waitFor();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.keyboard.press('Control+k');
  await page.waitForSelector('.palette');
  await page.keyboard.type('prefs');
  await page.waitForFunction(() => document.querySelector('#palette-0')?.textContent?.includes('Preferences'));
  await page.keyboard.press('Enter');
  await page.waitForURL('**/preferences');
  await page.getByLabel('Rows').selectOption('compact');
  await until(page, () => document.documentElement.hasAttribute('data-compact'));
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.waitForSelector('.palette');
  await page.keyboard.type('last act as curl');
  await page.keyboard.press('Enter');
  await page.locator('.toast', { hasText: 'SERENO_TOKEN' }).waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  must(text.startsWith('curl -sS -X PUT') && text.includes('/api/v1/me/preferences') && text.includes('"density":"compact"') && text.includes('$SERENO_TOKEN'), text);
});

await act('g i goes to the incidents, and switched off it does not', {}, async (page) => {
  await page.waitForSelector('.feed');
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await page.waitForURL('**/incidents');
  await page.goto(new URL('/preferences', page.url()).href);
  await page.getByText('Go to a place').click();
  await page.evaluate(() => document.activeElement?.blur());
  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await page.waitForTimeout(300);
  must(page.url().endsWith('/preferences'), 'a key that is off still goes');
});

await act('all looks read, and follow the person to another browser', { path: '/preferences' }, async (page, mock) => {
  for (const look of ['contrast-light', 'contrast-dark', 'dark', 'light']) {
    await page.getByLabel('Theme').selectOption(look);
    await until(page, (wanted) => document.documentElement.getAttribute('data-mantine-color-scheme') === (wanted.endsWith('dark') ? 'dark' : 'light') && document.documentElement.hasAttribute('data-contrast') === wanted.startsWith('contrast'), look);
    await axe(page, look);
    await page.screenshot({ path: `test-results/frame-preferences-${look}.png` });
  }
  await page.getByLabel('Theme').selectOption('contrast-dark');
  await until(page, () => document.documentElement.hasAttribute('data-contrast'));
  const other = await page.context().browser().newContext();
  const second = await other.newPage();
  await second.goto(mock.url);
  await until(second, () => document.documentElement.hasAttribute('data-contrast'));
  await second.waitForSelector('.feed');
  await axe(second, 'situation in high contrast');
  await second.screenshot({ path: 'test-results/frame-situation-contrast-dark.png' });
  await other.close();
});

await act('a language is chosen, said to the browser, and what it lacks is in English', { path: '/preferences' }, async (page) => {
  await page.getByLabel('Language').selectOption('de');
  await until(page, () => document.documentElement.lang === 'de' && document.querySelector('.rail')?.textContent?.includes('Vorfälle'));
  must((await page.textContent('h1')) === 'How you want the console', 'no English behind a missing text');
  await page.getByRole('link', { name: 'Vorfälle' }).click();
  await page.getByRole('button', { name: 'Schwere' }).waitFor();
  await axe(page, 'German');
  await page.screenshot({ path: 'test-results/frame-german.png' });
});

await act('a page is kept as a view, removed, and the removal taken back', { path: '/devices?kind=router' }, async (page) => {
  await page.waitForSelector('table');
  await page.keyboard.press('Control+k');
  await page.waitForSelector('.palette');
  await page.keyboard.type('keep this page');
  await page.keyboard.press('Enter');
  await page.locator('.toast').waitFor();
  await page.getByRole('button', { name: 'More' }).click();
  await page.waitForSelector('[role="menu"]');
  await axe(page, 'more places');
  await page.screenshot({ path: 'test-results/frame-more.png' });
  await page.keyboard.press('Escape');
  await page.goto(new URL('/preferences', page.url()).href);
  const row = page.locator('tr', { hasText: 'Open incidents' });
  await row.getByRole('button', { name: 'Remove' }).click();
  await row.waitFor({ state: 'detached' });
  await page.keyboard.press('Control+z');
  await row.waitFor();
  await row.getByRole('button', { name: 'Make it my first page' }).click();
  await page.goto(new URL('/', page.url()).href);
  await page.waitForURL('**/incidents');
});

await act('a cut line is said with its time, and what was typed stays', { path: '/findings' }, async (page, mock) => {
  await page.click('table a[data-row]');
  await page.waitForSelector('.pulse:not(.waiting)');
  await page.getByLabel('Reason').fill('The new broker');
  mock.stop();
  await page.getByText('No connection to the node').waitFor();
  await axe(page, 'offline');
  await page.screenshot({ path: 'test-results/frame-offline.png' });
  const again = await serve({ port: Number(new URL(mock.url).port) });
  await page.getByText('No connection to the node').waitFor({ state: 'detached', timeout: 20_000 });
  await page.locator('.toast', { hasText: 'Connected again' }).waitFor();
  must((await page.getByLabel('Reason').inputValue()) === 'The new broker', 'the form lost its text');
  again.stop();
});

await act('a session that ends in mid-form is taken up again, and the act is done once', { path: '/findings' }, async (page, mock) => {
  await page.click('table a[data-row]');
  await page.getByLabel('Reason').fill('The new broker');
  await page.getByLabel('What is normal').selectOption('device').catch(() => undefined);
  mock.world.frame.expired = true;
  const sent = [];
  page.on('request', (request) => request.url().endsWith('/feedback') && sent.push(request.postDataJSON()));
  await page.getByRole('button', { name: 'Call it normal' }).click();
  const dialog = page.getByRole('dialog', { name: 'Sign in again' });
  await dialog.waitFor();
  await axe(page, 'sign in again');
  await page.screenshot({ path: 'test-results/frame-again.png' });
  await dialog.locator('input[name="password"]').fill('right');
  await dialog.getByRole('button', { name: 'Sign in and go on' }).click();
  await dialog.waitFor({ state: 'detached' });
  await until(page, () => document.querySelector('.banner.good')?.textContent?.includes('The new broker'));
  must(sent.length === 2 && JSON.stringify(sent[0]) === JSON.stringify(sent[1]), `sent ${JSON.stringify(sent)}`);
});

await act('somebody else who signs in sends nothing of what another typed', { path: '/findings' }, async (page, mock) => {
  await page.click('table a[data-row]');
  await page.getByLabel('Reason').fill('The new broker');
  mock.world.frame.expired = true;
  let sent = 0;
  page.on('request', (request) => request.url().endsWith('/feedback') && (sent += 1));
  await page.getByRole('button', { name: 'Call it normal' }).click();
  const dialog = page.getByRole('dialog', { name: 'Sign in again' });
  await dialog.locator('input[name="username"]').fill('Marc');
  await dialog.locator('input[name="password"]').fill('right');
  await dialog.getByRole('button', { name: 'Sign in and go on' }).click();
  await page.getByText('You are signed in as Marc now').waitFor();
  must(sent === 1, `${sent} requests`);
  must((await page.getByLabel('Reason').inputValue()) === 'The new broker', 'the form lost its text');
});

await act('a wrong clock is said, and ages follow the node', {}, async (page, mock) => {
  await page.context().addInitScript(() => {
    const now = Date.now;
    Date.now = () => now() - 3 * 3_600_000;
  });
  await page.goto(mock.url);
  await page.getByText('behind the node’s').waitFor();
  await page.waitForSelector('.feed .when time');
  const ages = await page.locator('.feed .when time').allTextContents();
  must(!ages.some((age) => age.startsWith('in ')), `ages of the future: ${ages.slice(0, 3)}`);
  await axe(page, 'a wrong clock');
});

await act('an address beyond the role says who may, and the rail does not offer it', { path: '/' }, async (page, mock) => {
  mock.world.frame.permissions = ['incidents.read', 'assets.read', 'detection.read', 'playbooks.read', 'events.read'];
  await page.reload();
  await page.waitForSelector('.feed');
  await until(page, () => !document.querySelector('.rail')?.textContent?.includes('Ledger'));
  await page.goto(`${mock.url}/ledger`);
  await until(page, () => document.querySelector('h1')?.textContent === 'Ledger is not part of your role');
  await page.getByText('Who may:').or(page.getByText('No role of this node')).first().waitFor();
  await axe(page, 'forbidden');
});

await act('a wall shows the page alone, says when it is stale, and turns', { path: '/?wall=1' }, async (page, mock) => {
  await page.waitForSelector('.wall h1');
  must((await page.locator('.wall button:visible, .rail').count()) === 0, 'a wall has controls');
  await axe(page, 'wall');
  await page.screenshot({ path: 'test-results/frame-wall.png' });
  mock.stop();
  await page.getByText('Nothing heard for a while').waitFor();
});

await act('a thousand facts a second leave the page quick, and nothing moves under the pointer', {}, async (page, mock) => {
  await page.waitForSelector('.feed li');
  await page.evaluate(() => {
    globalThis.long = [];
    new PerformanceObserver((list) => globalThis.long.push(...list.getEntries().map((one) => one.duration))).observe({ type: 'longtask' });
  });
  const first = await page.textContent('.feed li >> nth=0');
  await page.hover('.feed');
  mock.world.frame.pump = 1000;
  await page.waitForSelector('.pill');
  await page.waitForTimeout(4_000);
  must((await page.textContent('.feed li >> nth=0')) === first, 'a row moved under the pointer');
  must(/\d/.test((await page.textContent('.pulse')) ?? ''), 'no rate');
  const held = await page.evaluate(() => globalThis.long);
  await page.mouse.move(5, 5);
  await page.waitForTimeout(3_000);
  const moving = await page.evaluate(() => globalThis.long);
  const worst = Math.max(0, ...moving);
  console.log(`     1,000 facts a second: ${moving.length} long tasks in 7 s (${held.length} while held), the longest ${worst.toFixed(0)} ms`);
  must(worst < 400, `a task of ${worst} ms`);
  await page.click('[data-key="p"]');
  must((await page.getAttribute('[data-key="p"]', 'aria-pressed')) === 'true', 'the feed does not pause under load');
});

await act('while the pointer is over a list nothing is renewed under it, and news waits', { path: '/findings' }, async (page, mock) => {
  await page.waitForSelector('table a[data-row]');
  await page.waitForSelector('.pulse:not(.waiting)');
  let asked = 0;
  page.on('request', (request) => /\/api\/v1\/findings/.test(request.url()) && (asked += 1));
  await page.hover('table tbody tr');
  mock.world.frame.pump = 50;
  await page.locator('.news').waitFor();
  await axe(page, 'news waits');
  await page.screenshot({ path: 'test-results/frame-news.png' });
  must(asked === 0, `the list was renewed ${asked} times under the pointer`);
  mock.world.frame.pump = 0;
  await page.waitForTimeout(600);
  await page.keyboard.press('n');
  await page.locator('.news').waitFor({ state: 'detached' });
  await page.waitForTimeout(300);
  // The list, how many there are, and what they are made of: each once.
  must(asked >= 1 && asked <= 3, `asked ${asked} times`);
});
