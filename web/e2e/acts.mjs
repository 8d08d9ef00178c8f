// Acts as a person does: keyboard, menus, live feed, acknowledgement, verification. Each act is a test.
import { serve } from '../mock/server.mjs';
import { act, axe, curtain, must, title } from './stage.mjs';

await act('skip link comes first and leads to the content', {}, async (page) => {
  await page.waitForSelector('.feed');
  await page.keyboard.press('Tab');
  must((await page.evaluate(() => document.activeElement?.className)) === 'skip', 'the first stop is not the skip link');
  await page.keyboard.press('Enter');
  must(page.url().endsWith('#main'), 'the skip link does not lead to #main');
});

await act('/ finds the search, and an address leads to its answer', {}, async (page) => {
  await page.waitForSelector('.feed');
  await page.keyboard.press('/');
  await page.keyboard.type('45.1.2.3');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '45.1.2.3 is known to intelligence');
});

await act('? opens the keyboard help, Esc closes it', {}, async (page) => {
  await page.waitForSelector('.feed');
  await page.keyboard.press('?');
  await page.waitForSelector('.keys');
  await axe(page, 'help');
  await page.keyboard.press('Escape');
  await page.waitForSelector('.keys', { state: 'detached' });
});

await act('Ctrl-K goes anywhere by name', {}, async (page) => {
  await page.waitForSelector('.feed');
  await page.keyboard.press('Control+k');
  await page.waitForSelector('.palette');
  await axe(page, 'palette');
  await page.keyboard.type('ledger');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ledger');
});

await act('j, k and Enter walk a list', { path: '/ledger' }, async (page) => {
  await page.waitForSelector('table a[data-row]');
  for (const key of ['j', 'j', 'k', 'j']) await page.keyboard.press(key);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/ledger/15');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Entry 15 is proven');
});

await act('a value has a menu that the keyboard reaches', { path: '/findings' }, async (page) => {
  await page.click('table a[data-row]');
  const value = page.getByRole('button', { name: '178.128.185.250' });
  await value.focus();
  await page.keyboard.press('ArrowDown');
  await page.waitForSelector('[role="menu"]');
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'menuitem');
  await axe(page, 'value menu');
  await page.keyboard.press('Escape');
  await page.waitForSelector('[role="menu"]', { state: 'detached' });
  must(await value.evaluate((element) => element === document.activeElement), 'the focus did not come back');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/intel?value=178.128.185.250');
});

await act('the account menu turns the page dark', {}, async (page) => {
  await page.getByRole('button', { name: /^Account of/ }).click();
  await axe(page, 'account menu');
  await page.getByRole('menuitemradio', { name: 'Dark', exact: true }).click();
  must((await page.getAttribute('html', 'data-mantine-color-scheme')) === 'dark', 'the page is not dark');
  await page.reload();
  await page.waitForSelector('.feed');
  must((await page.getAttribute('html', 'data-mantine-color-scheme')) === 'dark', 'the page forgot it');
});

await act('the desk is told, and the message leads to its incident', {}, async (page) => {
  await page.getByRole('button', { name: '1 message for this desk' }).click();
  await axe(page, 'inbox');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/incidents/*');
  await page.getByRole('button', { name: 'Told to this desk' }).waitFor();
});

await act('a CERT acknowledges without reload', { kind: 'cert' }, async (page) => {
  await page.getByRole('button', { name: 'Acknowledge' }).click();
  await page.fill('textarea', 'We have it.');
  await axe(page, 'acknowledge');
  await page.getByRole('button', { name: 'Acknowledge and answer' }).click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '1 incident received, and answered');
});

await act('the counters move by themselves and the feed pauses', {}, async (page) => {
  const dropped = () => page.textContent('.figure.cut dd');
  await page.waitForSelector('.figure.cut');
  const before = await dropped();
  await page.waitForFunction((old) => document.querySelector('.figure.cut dd')?.textContent !== old, before);
  await page.click('[data-key="p"]');
  must((await page.getAttribute('[data-key="p"]', 'aria-pressed')) === 'true', 'the feed did not pause');
});

await act('the page says that it reconnects, and is live again', {}, async (page, mock) => {
  await page.waitForSelector('.pulse:not(.waiting)');
  const port = Number(new URL(mock.url).port);
  mock.stop();
  await page.waitForFunction(() => document.querySelector('.pulse')?.textContent?.includes('Reconnecting'));
  const again = await serve({ port });
  await page.waitForFunction(() => document.querySelector('.pulse')?.textContent === 'Live', null, { timeout: 20_000 });
  again.stop();
});

await act('the whole log is verified', { path: '/ledger' }, async (page) => {
  await page.getByRole('button', { name: 'Verify all' }).click();
  await page.waitForSelector('.banner.good');
  must((await page.textContent('.banner.good')).includes('17 entries'), 'no count of entries');
});

await act('the bundle is a graph, a table and JSON', { path: '/shares' }, async (page) => {
  await page.click('table a[data-row]');
  await page.waitForSelector('.bundle-graph canvas');
  await page.click('.bundle-list button >> nth=1');
  await page.waitForSelector('.object-view');
  await axe(page, 'bundle object');
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  must((await page.locator('table.data tbody tr').count()) > 10, 'the table twin is too short');
  await page.getByRole('button', { name: 'JSON', exact: true }).click();
  must((await page.textContent('pre.code')).includes('"spec_version": "2.1"'), 'no JSON');
});

await act('a chart has a table twin, a diagram has words', {}, async (page) => {
  await page.waitForSelector('.time-chart svg');
  await page.getByRole('button', { name: 'Table', exact: true }).click();
  must((await page.locator('.scroll tbody tr').count()) > 100, 'the table twin is too short');
  await page.getByRole('button', { name: 'Words' }).click();
  must((await page.textContent('.diagram')).includes('blocking the device'), 'the words do not say it');
  await axe(page, 'twins');
});

await act('a link signs in, its password leaves the address, the line stays live', { scene: 'signed-out', path: '/#enter=Duty%20officer:a-long-password' }, async (page) => {
  await page.waitForSelector('.pulse:not(.waiting)');
  must(!page.url().includes('enter'), 'the password is still in the address');
  await page.waitForSelector('.figure.cut');
  await page.reload();
  await page.waitForSelector('.feed');
  await page.getByRole('button', { name: /^Account of/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.waitForSelector('input[name="username"]');
});

await act('the first run makes the administrator', { scene: 'first-run' }, async (page) => {
  await page.getByLabel('Organisation').fill('Water Works');
  await page.getByLabel('Your name, for signing in').fill('Ona');
  await page.getByLabel('Password', { exact: false }).first().fill('a long enough sentence');
  await page.getByLabel('The password again').fill('a long enough sentence');
  await page.getByRole('button', { name: 'Create the administrator' }).click();
  await page.waitForSelector('.frame');
});

await act('a wrong password is said plainly, a right one opens', { scene: 'signed-out' }, async (page) => {
  await page.getByLabel('Name').fill('Ona');
  await page.getByLabel('Password').first().fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('[role="alert"]');
  must((await page.textContent('[role="alert"]')).includes('The name or the password is wrong'), 'not said');
  await axe(page, 'refused');
  await page.getByLabel('Password').first().fill('right');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForSelector('.frame');
  must((await title(page)) !== null, 'no title');
});

await act('a finding is called normal with a reach and an end, and can be told again', { path: '/findings' }, async (page) => {
  await page.click('table a[data-row]');
  await page.getByLabel('What is normal').selectOption('peer');
  await page.getByLabel('Which').selectOption('1');
  await page.getByLabel('Until').selectOption('month');
  must(await page.getByRole('button', { name: 'Call it normal' }).isDisabled(), 'a word without a reason');
  await page.getByLabel('Reason').fill('The new broker');
  await axe(page, 'feedback');
  const asked = page.waitForRequest((request) => request.url().endsWith('/feedback'));
  await page.getByRole('button', { name: 'Call it normal' }).click();
  const body = (await asked).postDataJSON();
  must(body.scope.peer === '128.185.250.50' && body.scope.port === 50 && Date.parse(body.until) > Date.now() + 29 * 86_400_000, `not what was chosen: ${JSON.stringify(body)}`);
  await page.waitForFunction(() => document.querySelector('.banner.good')?.textContent?.includes('The new broker'));
  await page.click('.banner.good a');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '2 things are called normal');
  const first = page.getByRole('button', { name: 'Take back' }).first();
  await first.click();
  await page.getByRole('button', { name: 'Take back now?' }).click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '1 thing is called normal');
});

await act('a model goes back to an earlier version with a reason', { path: '/models' }, async (page) => {
  await page.click('table a[data-row]');
  await page.getByRole('button', { name: 'Go back to 2' }).click();
  const use = page.getByRole('button', { name: 'Put version 2 in use' });
  must(await use.isDisabled(), 'rolled back without a reason');
  await page.keyboard.type('Version 3 alarms too often');
  await axe(page, 'roll back');
  await use.click();
  await page.waitForFunction(() => [...document.querySelectorAll('tbody tr')].some((row) => row.textContent.startsWith('2In use') && row.textContent.includes('alarms too often')));
  must((await page.getByRole('button', { name: 'Go back to 1' }).count()) === 0, 'a version whose signature does not fit is offered');
});

await act('commands are corrected as text, and a wrong line is found', { path: '/commands' }, async (page) => {
  await page.click('table a[data-row]');
  const text = page.getByRole('textbox', { name: 'What is normal here' });
  const right = await text.inputValue();
  await text.fill(right.replace('window_us', 'oops'));
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'Go to line 3' }).click();
  const chosen = await text.evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  must(chosen.startsWith('oops = '), `not the line that is wrong: ${chosen}`);
  await axe(page, 'a wrong line');
  await text.fill(right.replace('most_per_window = 12', 'most_per_window = 20'));
  await page.getByRole('button', { name: 'Check' }).click();
  await page.waitForSelector('[role="status"]');
  const apply = page.getByRole('button', { name: 'Put in use' });
  must(await apply.isDisabled(), 'put in use without a reason');
  await page.getByLabel('Reason').fill('The new meter asks more often');
  await apply.click();
  await page.waitForFunction(() => [...document.querySelectorAll('tbody tr')].some((row) => row.textContent.startsWith('3In use') && row.textContent.includes('asks more often')));
  must((await text.inputValue()).includes('most_per_window = 20'), 'the text went back');
});

await act('the commands of a finding are made normal with a reason', { scene: 'commands', path: '/findings' }, async (page) => {
  await page.click('table a[data-row]');
  await page.getByRole('heading', { name: 'Learn these commands' }).waitFor();
  const panel = page.locator('section.panel', { has: page.getByRole('heading', { name: 'Learn these commands' }) });
  await panel.getByLabel('Reason').fill('The operator sets the pump by hand on Mondays');
  await axe(page, 'learn commands');
  const asked = page.waitForRequest((request) => request.url().endsWith('/commands/harbour-gw/learn'));
  await panel.getByRole('button').click();
  must((await asked).postDataJSON().reason.includes('Mondays'), 'the reason is not told');
  await panel.getByRole('status').waitFor();
});

await act('devices are filtered in the address', { path: '/devices' }, async (page) => {
  await page.getByLabel('Kind of device').selectOption('router');
  await page.waitForFunction(() => document.querySelectorAll('main tbody tr').length === 1);
  must(page.url().includes('kind=router'), 'the filter is not in the address');
  await page.getByLabel('Name, maker, protocol').fill('modbus');
  await page.waitForSelector('.empty');
  await page.reload();
  await page.waitForSelector('.empty');
});

await act('an evaluation marks what it misses, and its curves have tables', { path: '/evaluations' }, async (page) => {
  await page.click('table a[data-row]');
  await page.getByLabel('Scenario').selectOption('slow-leak');
  await page.waitForSelector('.missed');
  must(page.url().includes('scenario=slow-leak'), 'the scenario is not in the address');
  await page.getByRole('group', { name: 'ROC curve' }).getByRole('button', { name: 'Table', exact: true }).click();
  await page.getByRole('group', { name: 'Score over time' }).getByRole('button', { name: 'Table', exact: true }).click();
  must((await page.locator('.curves tbody tr').count()) > 100, 'the table twins are too short');
  await axe(page, 'curves as tables');
});

await import('./acts-intel.mjs');
await import('./acts-playbooks.mjs');
await import('./acts-automation.mjs');
await import('./acts-gateway.mjs');
await import('./acts-recovery.mjs');
await import('./acts-situation.mjs');
await import('./acts-frame.mjs');
await import('./acts-apidocs.mjs');
await import('./acts-lists.mjs');
await curtain();
