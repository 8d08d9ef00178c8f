// Visits every page in both themes and three sizes, looks for accessibility violations (axe-core,
// WCAG 2.0 to 2.2 A and AA) and console errors, and keeps screenshots in web/test-results/.
//
// Against a real node: SERENO_URL, and SERENO_TOKEN or SERENO_USER with SERENO_PASSWORD;
// SERENO_CERT_URL (with SERENO_CERT_TOKEN or SERENO_CERT_USER, SERENO_CERT_PASSWORD) adds the CERT.
// Without SERENO_URL it starts the mock and visits its scenes as well.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from '../mock/server.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22a', 'wcag22aa'];
const OUT = fileURLToPath(new URL('../test-results/', import.meta.url));
const SIZES = { desk: { width: 1280, height: 860 }, wide: { width: 1920, height: 1080 }, tablet: { width: 820, height: 1180 } };
const only = process.env.SERENO_ONLY?.split(',');
const sizes = Object.entries(SIZES).filter(([name]) => !process.env.SERENO_SIZES || process.env.SERENO_SIZES.split(',').includes(name));
const env = process.env;
const LOOP_MS = 90_000;
const faults = [];
let visits = 0;

/** One list page and, where it holds a row, the page behind it. */
const PAGES = [
  ['situation', '/'], ['incidents', '/incidents'], ['findings', '/findings'], ['groups', '/findings?view=groups'], ['devices', '/devices'], ['models', '/models'], ['commands', '/commands'], ['suppressions', '/suppressions?all=yes'], ['evaluations', '/evaluations'], ['playbooks', '/playbooks'], ['playbook-new', '/playbooks/new'], ['approvals', '/approvals'], ['automation', '/automation'], ['actuators', '/actuators'], ['playbook-keys', '/playbook-keys'], ['sharing', '/shares'],
  ['intel', '/intel?value=178.128.185.250'], ['knowledge', '/knowledge'], ['report', '/knowledge/report'], ['import', '/knowledge/import'], ['rules', '/knowledge/rules'], ['graph', '/graph'], ['matrix', '/matrix'], ['feeds', '/feeds'], ['webhooks', '/webhooks'], ['collections', '/collections'], ['communities', '/communities'], ['policies', '/policies'], ['preview', '/preview?q=type:malware'], ['exchange', '/exchange'], ['ledger', '/ledger'], ['gateways', '/gateways'], ['sites', '/sites'], ['site', '/sites?site=site-1'], ['site-new', '/sites?site=new'], ['sites-plan', '/sites?view=layer-plan&site=site-5'], ['sites-manage', '/sites?view=manage'], ['figures', '/figures?days=30'], ['glossary', '/glossary'], ['backups', '/backups'], ['health', '/health'], ['access', '/access'], ['about', '/about'], ['lost', '/no/such/page'], ['gateway-list', '/gateways/harbour-gw?list=b8:27:eb:7d:6b:a6'], ['recovery', '/recovery'], ['recovery-open', '/recovery?service=telemetry&order=restore-1'], ['search', '/search?q=tram'], ['preferences', '/preferences'], ['wall', '/?wall=1'], ['account', '/account'], ['people', '/people'], ['api-docs', '/api-docs'], ['api-docs-search', '/api-docs?q=post+incident'], ['api-docs-one', '/api-docs?op=list_incidents'],
];
const DETAILS = { incidents: 'incident', findings: 'finding', devices: 'device', models: 'model', commands: 'machine', evaluations: 'evaluation', sharing: 'share', ledger: 'proof', playbooks: 'run', knowledge: 'object', communities: 'community', exchange: 'object-share', gateways: 'gateway' };

function watch(page, where) {
  page.on('console', (message) => message.type() === 'error' && faults.push(`${where()}: console: ${message.text()} ${message.location().url}`));
  page.on('pageerror', (error) => faults.push(`${where()}: error: ${error.message}`));
}

async function settle(page) {
  await page.waitForSelector('h1', { timeout: 15_000 });
  await page.waitForFunction(() => !document.querySelector('[aria-label="Loading"]'), null, { timeout: 15_000 }).catch(() => faults.push(`${page.url()}: still loading after 15 s`));
  await page.waitForTimeout(250);
}

async function look(page, name) {
  visits += 1;
  // CSP forbids script elements; the browser's own channel does not.
  await page.evaluate(AXE);
  const found = await page.evaluate((tags) => globalThis.axe.run(document, { runOnly: { type: 'tag', values: tags } }), TAGS);
  for (const violation of found.violations) {
    faults.push(`${name}: ${violation.id} (${violation.impact}): ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(' | ')}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (wide > 1) faults.push(`${name}: the page is ${wide} px wider than the window`);
  await page.screenshot({ path: join(OUT, `${name}.png`), fullPage: true });
}

async function signIn(page, base, user, password) {
  if (!user) return;
  await page.goto(`${base}/sign-in`);
  await page.waitForSelector('input[name="username"], .frame');
  if (await page.$('.frame')) return;
  await page.fill('input[name="username"]', user);
  await page.fill('input[name="password"]', password);
  await page.click('button[type="submit"]');
  await page.waitForSelector('.frame');
}

/** On a real node: waits until the loop has been walked once, so that every page has something to show. */
async function loopWalked(context, site) {
  for (const start = Date.now(); Date.now() - start < LOOP_MS; await new Promise((done) => setTimeout(done, 500))) {
    const answer = await context.request.get(`${site.url}/api/v1/incidents?state=all&limit=1`);
    const incident = answer.ok() ? (await answer.json()).items[0] : null;
    if (incident?.acknowledged_by) return;
  }
  console.log(`${site.name}: no acknowledged incident after ${LOOP_MS / 1000} s; looking at what is there`);
}

async function visit(browser, site, theme, [sizeName, viewport]) {
  const headers = site.token ? { authorization: `Bearer ${site.token}` } : {};
  const context = await browser.newContext({ storageState: site.session, viewport, colorScheme: theme, reducedMotion: 'reduce', locale: 'en-GB', timezoneId: 'Europe/Madrid', ignoreHTTPSErrors: true, extraHTTPHeaders: headers });
  const page = await context.newPage();
  let where = '';
  watch(page, () => where);
  if (!site.session) {
    await signIn(page, site.url, site.user, site.password);
    site.session = await context.storageState();
    if (env.SERENO_URL) await loopWalked(context, site);
  }
  for (const [name, path] of site.pages) {
    if (only && !only.includes(name)) continue;
    where = `${site.name}-${name}-${sizeName}-${theme}`;
    await page.goto(site.url + path);
    await settle(page);
    await look(page, where);
    await behind(page, site, name, `${sizeName}-${theme}`, (text) => (where = text));
  }
  await context.close();
}

async function behind(page, site, name, suffix, at) {
  const detail = DETAILS[name];
  const row = detail && (await page.$('main table a[data-row]'));
  if (!row) return;
  const path = name === 'ledger' ? await page.evaluate(() => [...document.querySelectorAll('main table a[data-row]')].slice(0, 6).at(-1).getAttribute('href')) : await row.getAttribute('href');
  at(`${site.name}-${detail}-${suffix}`);
  await page.goto(site.url + path);
  await settle(page);
  if (detail === 'share') await page.waitForSelector('.bundle-graph canvas, .empty', { timeout: 10_000 });
  if (detail === 'proof') await page.waitForSelector('.banner.good, .banner.critical', { timeout: 10_000 });
  await look(page, `${site.name}-${detail}-${suffix}`);
  if (detail === 'run') {
    const playbook = await page.getAttribute('main a[href^="/playbooks/"]', 'href');
    if (!playbook) return;
    at(`${site.name}-playbook-${suffix}`);
    await page.goto(site.url + playbook);
    await settle(page);
    await look(page, `${site.name}-playbook-${suffix}`);
    for (const [shown, to] of [['lit-path', `${path}?view=canvas`], ['playbook-edit', `${playbook}/edit`], ['playbook-steps', `${playbook}/edit?view=list&part=variables`]]) {
      at(`${site.name}-${shown}-${suffix}`);
      await page.goto(site.url + to);
      await settle(page);
      await page.waitForSelector('.canvas .react-flow__node, .outline button', { timeout: 10_000 });
      await look(page, `${site.name}-${shown}-${suffix}`);
    }
  }
}

async function sitesOf() {
  if (env.SERENO_URL) {
    const sites = [{ name: 'operator', url: env.SERENO_URL.replace(/\/$/, ''), token: env.SERENO_TOKEN, user: env.SERENO_USER, password: env.SERENO_PASSWORD, pages: PAGES }];
    if (env.SERENO_CERT_URL) sites.push({ name: 'cert', url: env.SERENO_CERT_URL.replace(/\/$/, ''), token: env.SERENO_CERT_TOKEN, user: env.SERENO_CERT_USER, password: env.SERENO_CERT_PASSWORD, pages: PAGES.slice(0, 2) });
    return { sites, stop: () => {} };
  }
  const home = [['situation', '/']];
  const made = [
    ['operator', 'operator', 'done', PAGES], ['cert', 'cert', 'done', PAGES.slice(0, 2)], ['learning', 'operator', 'learning', home], ['empty', 'operator', 'empty', [...home, ['sites', '/sites'], ['figures', '/figures'], ['incidents', '/incidents'], ['devices', '/devices'], ['models', '/models'], ['commands', '/commands'], ['suppressions', '/suppressions'], ['groups', '/findings?view=groups'], ['evaluations', '/evaluations']]],
    ['not-enforced', 'operator', 'not-enforced', home], ['commands', 'operator', 'commands', [['findings', '/findings'], ['laws', '/laws/harbour-gw/goose']]], ['waiting', 'operator', 'waiting', [['sharing', '/shares'], ['playbooks', '/playbooks'], ['approvals', '/approvals']]],
    ['proposed', 'operator', 'proposed', [['approvals', '/approvals'], ['automation', '/automation'], ['incidents', '/incidents']]], ['stopped', 'operator', 'stopped', [['automation', '/automation'], ['incidents', '/incidents']]],
    ['first-run', 'operator', 'first-run', [['first-run', '/']]], ['sign-in', 'operator', 'signed-out', [['sign-in', '/']]],
  ];
  const mocks = await Promise.all(made.map(([, kind, scene]) => serve({ kind, scene })));
  return { sites: made.map(([name, , , pages], index) => ({ name: `mock-${name}`, url: mocks[index].url, pages })), stop: () => mocks.forEach((mock) => mock.stop()) };
}

mkdirSync(OUT, { recursive: true });
const { sites, stop } = await sitesOf();
const launcher = await chromium.launch({ executablePath: env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
for (const site of sites) {
  for (const size of sizes) for (const theme of ['light', 'dark']) await visit(launcher, site, theme, size);
}
await launcher.close();
stop();
for (const fault of faults) console.error(fault);
console.log(`${visits} pages seen`);
console.log(`${Math.max(0, visits - faults.length)} passed, ${faults.length} failed`);
process.exit(faults.length > 0 ? 1 : 0);
