// Acts as a person does: keyboard, menus, live feed, acknowledgement, verification. Runs against the
// mock, whose world it changes. Each act is a test; axe looks at what the act opened.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { serve } from '../mock/server.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
let passed = 0;
const faults = [];

async function axe(page, where) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags } }), TAGS);
  for (const one of violations) faults.push(`${where}: ${one.id}: ${one.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`);
}

async function act(name, { kind, scene, path = '/' }, steps) {
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

const must = (condition, text) => {
  if (!condition) throw new Error(text);
};
const title = (page) => page.textContent('h1');

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
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
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
  await page.getByRole('button', { name: 'Table' }).click();
  must((await page.locator('table.data tbody tr').count()) > 10, 'the table twin is too short');
  await page.getByRole('button', { name: 'JSON', exact: true }).click();
  must((await page.textContent('pre.code')).includes('"spec_version": "2.1"'), 'no JSON');
});

await act('a chart has a table twin, a diagram has words', {}, async (page) => {
  await page.waitForSelector('.time-chart svg');
  await page.getByRole('button', { name: 'Table' }).click();
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
  await page.getByRole('group', { name: 'ROC curve' }).getByRole('button', { name: 'Table' }).click();
  await page.getByRole('group', { name: 'Score over time' }).getByRole('button', { name: 'Table' }).click();
  must((await page.locator('.curves tbody tr').count()) > 100, 'the table twins are too short');
  await axe(page, 'curves as tables');
});

await act('a day in the address goes along every link, and leads back to now', { path: '/knowledge?q=heron%20OR%20egret&at=2026-01-01T00%3A00%3A00Z' }, async (page) => {
  const at = 'at=2026-01-01T00%3A00%3A00Z';
  const href = (name) => page.getByRole('link', { name }).first().getAttribute('href');
  await page.waitForSelector('table a[data-row]');
  must((await page.textContent('.as-known')).includes('As known on'), 'the day is not said');
  for (const name of ['Export as STIX', 'Night Heron', /^malware 1$/i]) must((await href(name)).includes(at), `${name} forgets the day`);
  const typed = new URL(await href(/^malware 1$/i), page.url()).searchParams.get('q');
  must(typed === '(heron OR egret) type:malware', `the type binds one half only: ${typed}`);
  must(!(await href('As known now')).includes('at='), 'no way back');
  await page.getByRole('button', { name: 'Search' }).last().click();
  must(page.url().includes(at), 'asking again forgets the day');
  await page.click('table a[data-row]');
  await page.waitForSelector('.versions');
  must(page.url().includes(at) && (await page.textContent('.as-known')).includes('As known on'), 'the object is of now');
  for (const name of ['Grey Egret', '198.51.100.7']) must((await href(name)).includes(at), `${name} forgets the day`);
  must((await page.locator('.crumbs a').getAttribute('href')).includes(at), 'the way up forgets the day');
  await page.waitForSelector('.bundle-graph canvas');
  await axe(page, 'as known on');
  await page.getByRole('link', { name: 'As known now' }).click();
  await page.waitForFunction(() => !document.querySelector('.as-known'));
  must(!page.url().includes('at='), 'the way back does not lead back');
});

const refusal = { status: 503, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'The store is busy', status: 503, detail: 'Made up.', remedy: 'Wait.' }) };

await act('a failed page more keeps the rows that are there', { path: '/knowledge' }, async (page) => {
  await page.route('**/api/v1/intel/objects?*', async (route) => {
    if (route.request().url().includes('cursor=')) return route.fulfill(refusal);
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), next: 'more' } });
  });
  await page.reload();
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.getByText('The store is busy').waitFor();
  must((await page.locator('main tbody tr').count()) === 4, 'the rows are gone');
  await axe(page, 'a page more failed');
});

await act('a feed that cannot be paused says so', { path: '/feeds' }, async (page) => {
  let answer;
  const looked = new Promise((resolve) => (answer = resolve));
  await page.route('**/api/v1/feeds/*', async (route) => {
    await looked;
    await route.fulfill(refusal);
  });
  await page.getByRole('button', { name: 'Pause ipsum' }).click();
  await page.waitForSelector('button[aria-label="Pause ipsum"]:disabled');
  answer();
  await page.getByText('The store is busy').waitFor();
});

await act('what is cut says that it is cut', { path: '/knowledge' }, async (page) => {
  await page.route('**/api/v1/intel/import?*', (route) => route.fulfill({ json: { objects: 1500, new: 0, updated: 0, older: 0, same: 0, conflicts: 500, refused: 1000, problems: Array.from({ length: 1000 }, (_, index) => ({ index, id: 'x', reason: 'broken' })) } }));
  await page.route(/intel\/objects\/[^/?]+(\?.*)?$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), values: Array.from({ length: 200 }, (_, n) => ({ value: `198.51.100.${n}`, kind: 'address', held: 1, too_common: false })) } });
  });
  await page.getByRole('button', { name: 'Import' }).click();
  await page.locator('input[type="file"]').setInputFiles({ name: 'bundle.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
  await page.locator('form button[type="submit"]').first().click();
  await page.getByText('The list below holds the first 1,000 of 1,500').waitFor();
  await page.getByRole('link', { name: 'Night Heron', exact: true }).click();
  await page.getByText('Only the first 200 values are shown').waitFor();
});

await act('a technique counts what stands below it, shows it and asks for it', { path: '/matrix' }, async (page) => {
  const href = (name) => page.getByRole('link', { name }).getAttribute('href');
  const asked = async (name) => new URL(await href(name), page.url()).searchParams.get('q');
  await page.waitForSelector('.below');
  const whole = await asked(/^Spearphishing/);
  must(whole === '(technique:T0002 OR technique:T0002.001 OR technique:T0002.002) type:attack-pattern', `not all that is counted: ${whole}`);
  await page.getByText('2 below, 1 spoken of').click();
  must((await asked(/^Attachment/)) === 'technique:T0002.001 type:attack-pattern', 'the part leads elsewhere');
  await axe(page, 'below a technique');
});

await act('a collection is made, and asks before it goes', { path: '/collections' }, async (page) => {
  let asked;
  let gone;
  await page.route('**/api/v1/taxii/collections', async (route) => {
    if (route.request().method() !== 'POST') return route.fallback();
    asked = route.request().postDataJSON();
    return route.fulfill({ status: 201, json: { id: '00000000-0000-4000-8000-000000000009', root: 'public', alias: 'trams', title: 'Trams', description: '', kind: 'open', objects: 0 } });
  });
  await page.route('**/api/v1/taxii/collections/*', (route) => {
    gone = route.request().url();
    return route.fulfill({ status: 204 });
  });
  await page.getByLabel('Title').first().fill('Trams');
  await page.getByLabel('Short name for paths').fill('trams');
  await page.getByLabel('API root').first().selectOption('public');
  await page.getByLabel('Read by').selectOption('open');
  await page.getByRole('button', { name: 'Make' }).first().click();
  await page.getByText('sereno token new --role taxii --collection 00000000-0000-4000-8000-000000000009:read').waitFor();
  must(JSON.stringify(asked) === JSON.stringify({ title: 'Trams', root: 'public', alias: 'trams', public_read: true }), `asked for ${JSON.stringify(asked)}`);
  must((await page.getByRole('button', { name: 'Remove: Inbox' }).count()) === 0, "the node's own inbox can be removed");
  await page.getByRole('button', { name: 'Remove: Harbour sector' }).click();
  must(!gone, 'it went unasked');
  await axe(page, 'collections');
  await page.getByRole('button', { name: 'Remove it: Harbour sector' }).click();
  await page.waitForFunction(() => !document.querySelector('button[aria-label="Remove it: Harbour sector"]:disabled'));
  must(gone?.endsWith('/taxii/collections/00000000-0000-4000-8000-000000000002'), `removed ${gone}`);
});

await act('a preview says why, and what it shows is shared', { path: '/preview?q=type:malware' }, async (page) => {
  let asked;
  await page.route('**/api/v1/federation/shares', (route) => {
    asked = route.request().postDataJSON();
    return route.fallback();
  });
  await page.getByRole('button', { name: 'stays' }).first().click();
  await page.getByText('denied because it is marked above the highest TLP of the community').last().waitFor();
  await axe(page, 'preview with a reason');
  await page.getByLabel('Why; it stays on this node').fill('Seen on two trams');
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await page.getByRole('link', { name: 'Follow it' }).click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '1 of 3 arrived');
  must(asked.objects.length === 2 && asked.to.communities.length === 1 && asked.to.peers.length === 0, `shared ${JSON.stringify(asked)}`);
  await page.getByLabel('Reason; the recipients read it').fill('It was our own scanner');
  await page.getByRole('button', { name: 'Take 2 objects back' }).click();
  await page.getByRole('link', { name: 'Follow it' }).click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === '1 of 2 has not acknowledged yet');
  await axe(page, 'a retraction');
});

await act('a policy that breaks tests is refused first', { path: '/policies' }, async (page) => {
  const asked = [];
  await page.route('**/api/v1/sharing/policies/*', (route) => {
    asked.push(route.request().postDataJSON());
    return route.fallback();
  });
  await page.getByLabel('Text of water.first').fill('permit (principal, action, resource);');
  await page.getByRole('button', { name: 'Save', exact: true }).first().click();
  await page.getByText('1 of 2 tests would fail').waitFor();
  await axe(page, 'a refused policy');
  await page.getByRole('button', { name: 'Save although tests break' }).click();
  await page.getByText('1 of 2 tests would fail').waitFor({ state: 'detached' });
  must(asked.length === 2 && !asked[0].force && asked[1].force, `asked ${JSON.stringify(asked)}`);
});

await act('an organisation is invited, and a member is put out only when asked twice', { path: '/communities' }, async (page) => {
  let gone;
  await page.route('**/api/v1/communities/*/members/*', (route) => {
    gone = `${route.request().method()} ${route.request().url()}`;
    return route.fulfill({ status: 204 });
  });
  await page.getByRole('link', { name: 'Trams of the coast' }).click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Trams of the coast: 1 member');
  await page.getByRole('button', { name: 'Make invitation' }).click();
  const file = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the file' }).click();
  must((await file).suggestedFilename() === 'Trams of the coast-invitation.json', 'the file has another name');
  await page.getByRole('button', { name: 'Put out: Harbour CERT' }).click();
  must(!gone, 'put out unasked');
  await axe(page, 'a community');
  await page.getByRole('button', { name: 'Put out now: Harbour CERT' }).click();
  await page.waitForFunction(() => !document.querySelector('button[aria-label="Put out now: Harbour CERT"]:disabled'));
  must(gone?.startsWith('DELETE '), `asked ${gone}`);
});

await browser.close();
for (const fault of faults) console.error(`FAIL ${fault}`);
console.log(`${passed} passed, ${faults.length} failed`);
process.exit(faults.length > 0 ? 1 : 0);
