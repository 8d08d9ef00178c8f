// Sites, the map, figures, first steps and the glossary, as a person does them; run by acts.mjs.
import { act, axe, must, title } from './stage.mjs';

const marks = (page) => page.locator('.map-mark');

await act('the map is walked by keyboard, and a site opens beside it', { path: '/sites' }, async (page) => {
  await marks(page).first().waitFor();
  const substation = page.getByRole('button', { name: /^Harbour substation/ });
  await substation.focus();
  await page.keyboard.press('ArrowUp');
  const there = await page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  must(there && !there.startsWith('Harbour substation'), `an arrow leads to ${there}`);
  await substation.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/sites?site=site-4');
  await page.getByRole('heading', { name: 'Harbour substation', exact: true }).waitFor();
  await axe(page, 'a site beside the map');
});

await act('a browser that cannot draw the map shows the same sites on outlines', { path: '/glossary' }, async (page, mock) => {
  await page.addInitScript(() => {
    const own = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
      return kind.startsWith('webgl') ? null : own.call(this, kind, ...more);
    };
  });
  await page.goto(`${mock.url}/sites`);
  await page.getByText('This browser cannot draw the map').waitFor();
  await marks(page).first().waitFor();
  await page.waitForFunction(() => (document.querySelector('svg.map-ground path')?.getAttribute('d')?.length ?? 0) > 1000);
  await page.getByRole('button', { name: /^Besòs Mar/ }).click();
  await page.waitForURL('**/sites?site=site-3');
});

await act('a site is made, devices are put there, and it goes only when they have somewhere to go', { path: '/sites?site=new' }, async (page) => {
  await page.getByLabel('Name', { exact: false }).first().fill('Poblenou depot');
  await page.getByLabel('Kind').fill('depot');
  await page.getByLabel('Latitude').fill('41.4');
  await page.getByLabel('Longitude').fill('2.2');
  await page.getByRole('button', { name: 'Make the site' }).click();
  await page.waitForURL('**/sites?site=site-7');
  await page.getByRole('button', { name: 'Put devices here' }).click();
  await page.locator('.check input').first().check();
  const asked = page.waitForRequest((request) => request.url().endsWith('/devices/site'));
  await page.getByRole('button', { name: 'Put 1 device here' }).click();
  must((await asked).postDataJSON().site === 'site-7', 'the devices went elsewhere');
  const gone = page.getByRole('button', { name: 'Remove Poblenou depot' });
  await page.getByLabel('Its devices go to').waitFor();
  must(await gone.isDisabled(), 'a site with devices could go');
  await page.getByLabel('Its devices go to').selectOption('none');
  await gone.click();
  await page.waitForURL((url) => !url.search.includes('site='));
});

await act('nothing of the map or the figures asks another host', { path: '/sites' }, async (page, mock) => {
  const foreign = [];
  page.on('request', (request) => !request.url().startsWith(mock.url) && !/^(data|blob):/.test(request.url()) && foreign.push(request.url()));
  const complaints = [];
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && complaints.push(message.text()));
  await page.reload();
  await marks(page).first().waitFor();
  await page.goto(`${mock.url}/figures`);
  await page.locator('[role="img"] svg').first().waitFor();
  must(foreign.length === 0 && complaints.length === 0, `${foreign.join(' ')} ${complaints.join(' ')}`);
});

await act('a chart has its table, its files, and every bar is a door with its query', { path: '/figures?days=7' }, async (page) => {
  const panel = page.locator('section.panel', { has: page.getByRole('heading', { name: 'Incidents opened, by their state now' }) });
  await panel.locator('svg').waitFor();
  for (const form of ['SVG', 'PNG']) {
    const saved = page.waitForEvent('download');
    await panel.getByRole('button', { name: `Save as ${form}` }).click();
    must((await saved).suggestedFilename() === `incidents-by-state.${form.toLowerCase()}`, `${form} has another name`);
  }
  await panel.getByRole('button', { name: 'As a table' }).click();
  await axe(page, 'figures as a table');
  await panel.getByRole('row', { name: /Closed/ }).getByRole('button').click();
  await page.waitForURL((url) => url.pathname === '/incidents' && (url.searchParams.get('q') ?? '').startsWith('state:closed opened>='));
});

await act('the first steps are ticked by what is there, lead on, and can be hidden', { scene: 'empty' }, async (page) => {
  await page.getByRole('heading', { name: 'First steps: 0 of 4' }).waitFor();
  await axe(page, 'first steps');
  await page.getByRole('button', { name: 'Hide' }).click();
  await page.reload();
  await page.waitForSelector('.feed, .empty');
  must((await page.getByText('First steps').count()) === 0, 'they came back');
});

await act('the tour is walked by keyboard and ends with Escape', { scene: 'empty' }, async (page) => {
  await page.getByRole('button', { name: 'Take the tour' }).click();
  const tour = page.getByRole('dialog');
  await tour.waitFor();
  await page.keyboard.press('ArrowRight');
  await tour.getByRole('heading', { name: 'Incidents' }).waitFor();
  must((await page.locator('.rail a.toured').getAttribute('href')) === '/incidents', 'the place is not shown');
  await axe(page, 'tour');
  await page.keyboard.press('Escape');
  await tour.waitFor({ state: 'detached' });
});

await act('a CERT sees which campaign several operators see, and why', { kind: 'cert' }, async (page) => {
  const panel = page.locator('section.panel', { has: page.getByRole('heading', { name: '1 campaign seen at several operators' }) });
  await panel.getByText('Seen at Harbour Tram and Grid, Northern Water').waitFor();
  await panel.getByText('178.128.185.250').waitFor();
});

await act('the first run says what the organisation is', { scene: 'first-run' }, async (page) => {
  await page.getByLabel('Organisation', { exact: false }).first().fill('Harbour CERT');
  await page.getByRole('radio', { name: /CERT or CSIRT/ }).check();
  await page.getByLabel('Your name', { exact: false }).fill('marta');
  for (const field of await page.locator('input[type="password"]').all()) await field.fill('a long enough password');
  const told = page.waitForRequest((request) => request.method() === 'PATCH' && request.url().endsWith('/node'));
  await page.getByRole('button', { name: 'Create the administrator' }).click();
  must((await told).postDataJSON().kind === 'cert', 'another kind was told');
});

await act('the glossary finds a word', { path: '/glossary' }, async (page) => {
  await page.getByLabel('Find a word').fill('TAXII');
  await page.waitForFunction(() => document.querySelectorAll('.glossary > div').length < 4);
  must((await title(page)).includes('explained'), 'the title does not count');
});
