// Acts on what happens by itself: the policy, the switch, proposals, responses, actuators and secrets.
import { act, axe, must, title } from './stage.mjs';

const ID = '01935a15-0000-7000-8000-000000000007';
const panel = (page, name) => page.locator('section.panel', { has: page.getByRole('heading', { name, exact: true }) });
const titled = (page, text) => page.waitForFunction((wanted) => document.querySelector('h1')?.textContent === wanted, text);
const sent = (page, method, end) => page.waitForRequest((request) => request.method() === method && request.url().endsWith(end));

await act('the rules are changed as forms, and a refusal says what is wrong', { path: '/playbooks' }, async (page) => {
  await page.keyboard.press('Control+k');
  await page.waitForSelector('.palette');
  await page.keyboard.type('automation');
  await page.keyboard.press('Enter');
  await titled(page, 'Automation acts, except on critical assets, where it asks first');
  const save = page.getByRole('button', { name: 'Save the rules' });
  must(await save.isDisabled(), 'there is something to save');
  await page.getByLabel('On high assets').selectOption('recommend');
  await page.getByRole('button', { name: 'Add quiet hours' }).click();
  await page.getByLabel(/^From/).fill('23:15');
  await page.getByRole('button', { name: 'Add a limit' }).click();
  await page.getByLabel('Name').last().fill('talk');
  await page.getByLabel('Actuator').last().selectOption('console');
  await page.getByLabel(/^Within/).last().fill('2');
  await page.getByLabel('Unit: Within').last().selectOption('min');
  await page.getByRole('button', { name: 'Remove: 192.168.100.1' }).click();
  await page.getByLabel('Two persons').selectOption('high');
  await page.getByLabel(/^Over after/).fill('5');
  await page.getByLabel('Unit: Over after').selectOption('min');
  await save.click();
  await page.getByText('expire_after_s must be more than escalate_after_s').waitFor();
  await axe(page, 'rules refused');
  await page.getByLabel(/^Over after/).fill('120');
  const asked = sent(page, 'PUT', '/automation');
  await save.click();
  const body = (await asked).postDataJSON();
  must(!('stopped' in body), 'the form says who stopped it');
  must(body.levels.high === 'recommend' && body.two_persons_from === 'high' && body.never.length === 0 && body.expire_after_s === 7200, JSON.stringify(body));
  must(JSON.stringify(body.quiet) === '[{"from":"23:15","until":"06:00","level":"ask"}]', JSON.stringify(body.quiet));
  must(JSON.stringify(body.limits[1]) === '{"name":"talk","actuator":"console","verbs":[],"at_most":10,"within_s":120}', JSON.stringify(body.limits[1]));
  await page.getByText('Saved; it holds from now on.').waitFor();
  must((await panel(page, 'What holds').textContent()).includes('From high criticality on, two different persons'), 'the words are the old ones');
});

await act('what somebody else saved meanwhile is not overwritten unseen', { path: '/automation' }, async (page, mock) => {
  await page.getByLabel('On low assets').selectOption('ask');
  const now = await (await fetch(`${mock.url}/api/v1/automation`)).json();
  await fetch(`${mock.url}/api/v1/automation`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...now, two_persons_from: 'low' }) });
  await page.evaluate(() => window.dispatchEvent(new Event('visibilitychange')));
  await page.getByRole('button', { name: 'Stop automation' }).isVisible();
  await page.getByLabel('Why it is stopped').fill('x');
  await page.getByRole('button', { name: 'Stop automation' }).click();
  await page.getByText('Somebody saved other rules meanwhile').waitFor();
  must((await page.getByLabel('On low assets').inputValue()) === 'ask', 'the draft is lost');
  await page.getByRole('button', { name: 'Take theirs' }).click();
  must((await page.getByLabel('Two persons').inputValue()) === 'low' && (await page.getByLabel('On low assets').inputValue()) === 'act', 'not theirs');
});

await act('automation is stopped with a reason, every page says so, and it is let go on', { path: '/automation' }, async (page) => {
  const stop = page.getByRole('button', { name: 'Stop automation' });
  must(await stop.isDisabled(), 'it stops without a reason');
  await page.getByLabel('Why it is stopped').fill('Works on line T4');
  await stop.click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent.startsWith('Stopped by administrator since '));
  await axe(page, 'automation stopped');
  must((await page.locator('.halted').count()) === 0, 'the page says it twice');
  await page.getByRole('link', { name: 'Incidents' }).first().click();
  await page.locator('.halted', { hasText: 'administrator stopped automation, “Works on line T4”' }).waitFor();
  await axe(page, 'the banner of a stop');
  await page.locator('.halted a').click();
  await page.getByRole('button', { name: 'Let it act again' }).click();
  await page.getByRole('button', { name: 'Let it act again now?' }).click();
  await titled(page, 'Automation acts, except on critical assets, where it asks first');
});

await act('who only reads sees the rules in words, and no form', { path: '/health' }, async (page) => {
  await page.route('**/api/v1/me', (route) => route.fulfill({ json: { user: 'u', name: 'Joan', roles: ['read-only'], permissions: ['playbooks.read'] } }));
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const base = new URL(page.url()).origin;
  await page.goto(`${base}/automation`);
  await panel(page, 'What holds').getByText('On assets of critical criticality it asks first.').waitFor();
  must((await page.getByRole('button', { name: /Save the rules|Stop automation/ }).count()) === 0, 'a form is shown');
  await axe(page, 'automation for readers');
  await page.goto(`${base}/actuators`);
  await page.getByText('mattermost', { exact: true }).waitFor();
  must((await page.getByRole('button', { name: /^Test/ }).count()) === 0, 'a test is offered');
  must(!asked.some((url) => url.endsWith('/secrets')), 'secrets are asked for');
  await page.goto(`${base}/playbooks/${ID}`);
  await page.getByText('which your role lacks').waitFor();
  must((await page.getByRole('button', { name: /Add a trigger|Change/ }).count()) === 0, 'a trigger can be edited');
});

await act('a proposal is accepted as the second person, another declined', { scene: 'proposed' }, async (page) => {
  await page.getByRole('button', { name: /1 proposal waits for a yes/ }).click();
  await page.getByRole('menuitem', { name: /1 proposal waits/ }).click();
  await titled(page, '1 proposal waits for a yes');
  const first = page.locator('main section.panel').first();
  const text = await first.textContent();
  for (const part of ['Start “Contain a talking device”?', 'Quiet hours from 22:00', '1 of 2 different persons said yes', 'Marta Puig, in place of Jordi Mas said yes, by link']) must(text.includes(part), `it does not say: ${part}`);
  await axe(page, 'proposals');
  await first.getByLabel('A word with the answer').fill('Seen the device.');
  const asked = sent(page, 'POST', '/answer');
  await first.getByRole('button', { name: 'Yes, start it' }).click();
  const body = (await asked).postDataJSON();
  must(body.accept === true && body.comment === 'Seen the device.', JSON.stringify(body));
  await titled(page, '1 response is recommended; nothing waits');
  await page.locator('.banner.good', { hasText: 'was started' }).getByRole('link', { name: 'Open the run' }).waitFor();
  await axe(page, 'a proposal answered');
  await page.getByRole('button', { name: 'Decline' }).click();
  await titled(page, 'Nothing waits for a person');
  await page.locator('.banner', { hasText: 'was declined' }).waitFor();
});

await act('responses stand in order with their reasons, and one starts by hand', { path: '/incidents' }, async (page) => {
  await page.click('table a[data-row]');
  const list = panel(page, 'Responses');
  await list.getByText('Contain a talking device').waitFor();
  await list.getByRole('button', { name: 'Show 1 more' }).click();
  const last = list.locator('.response', { hasText: 'Restart the switch' });
  must((await last.textContent()).includes('Missing: step') && (await last.getByRole('button').count()) === 0, 'what cannot run is offered');
  must((await list.locator('.response', { hasText: 'Slow a talking' }).textContent()).includes("its trigger allows 'ask' at most"), 'why not by itself is not said');
  await axe(page, 'responses');
  await list.getByRole('button', { name: 'Start: Contain a talking device' }).click();
  const asked = sent(page, 'POST', '/runs');
  await list.getByRole('button', { name: 'Start it now?: Contain a talking device' }).click();
  const body = (await asked).postDataJSON();
  must(body.playbook === ID && body.incident && body.dry_run === false, JSON.stringify(body));
  await page.waitForURL('**/runs/*');
});

await act('an actuator is tested, a secret set, replaced and removed; its value is nowhere', { path: '/actuators' }, async (page) => {
  await titled(page, '5 actuators take commands, 2 more could');
  await page.getByRole('button', { name: 'Test mattermost' }).click();
  await page.getByText('connection refused').waitFor();
  await page.getByRole('button', { name: 'Test console' }).click();
  await page.getByText('there is nothing to ask').waitFor();
  await axe(page, 'actuators tested');
  const form = panel(page, 'Set a secret');
  await form.getByLabel('Name').fill('fw-login');
  await form.getByLabel('Hosts it may be used with').fill('fw.city.example, 10.0.0.7');
  await form.getByLabel('Value').fill('hunter2\nline two');
  const asked = sent(page, 'PUT', '/secrets/fw-login');
  await form.getByRole('button', { name: 'Keep it' }).click();
  const body = (await asked).postDataJSON();
  must(body.value === 'hunter2\nline two' && body.hosts.join() === 'fw.city.example,10.0.0.7', JSON.stringify(body.hosts));
  await page.getByText('“fw-login” is kept.').waitFor();
  must((await form.getByLabel('Value').inputValue()) === '' && !(await page.content()).includes('hunter2'), 'the value is still on the page');
  await form.getByLabel('Name').fill('chat');
  await form.getByRole('button', { name: 'Replace the one of that name' }).waitFor();
  await form.getByLabel('Hosts it may be used with').fill('*');
  await form.getByText('can send it anywhere').waitFor();
  await page.getByRole('button', { name: 'Remove: chat' }).click();
  await page.getByRole('button', { name: /Playbooks that name it fail/ }).click();
  await page.getByText('chat.city.example', { exact: true }).waitFor({ state: 'detached' });
  // Under the bar that stays at the top a button counts as too small.
  await page.evaluate(() => window.scrollTo(0, 0));
  await axe(page, 'secrets');
});

await act('a playbook is told when it starts by itself, and not to', { path: `/playbooks/${ID}` }, async (page) => {
  const own = panel(page, 'By itself');
  await own.getByText('41 held back').waitFor();
  await own.getByRole('button', { name: /^Change: when an incident/ }).click();
  await own.getByLabel('Least severity').selectOption('critical');
  await own.getByLabel('Scan').check();
  await own.getByLabel('How far at most').selectOption('ask');
  await axe(page, 'a trigger');
  const asked = sent(page, 'PUT', '/triggers/01935a16-0000-7000-8000-000000000031');
  await own.getByRole('button', { name: 'Save' }).click();
  must(JSON.stringify((await asked).postDataJSON()) === '{"on":"incidents.opened","min_severity":"critical","kinds":["scan"],"level":"ask"}', JSON.stringify((await asked).postDataJSON()));
  await own.getByRole('button', { name: 'Save' }).waitFor({ state: 'detached' });
  await own.getByRole('button', { name: 'Add a trigger' }).click();
  await own.getByLabel('Starts on').selectOption('webhook');
  await own.getByLabel('Fields of the body').fill('/alarm/ip = peer');
  const made = sent(page, 'POST', '/triggers');
  await own.getByRole('button', { name: 'Save' }).click();
  must(JSON.stringify((await made).postDataJSON()) === '{"on":"webhook","fields":{"/alarm/ip":"__peer__"}}', JSON.stringify((await made).postDataJSON()));
  await own.getByText('curl -X POST').waitFor();
  await axe(page, 'a secret');
  const gone = sent(page, 'DELETE', '/triggers/01935a16-0000-7000-8000-000000000033');
  await own.getByRole('button', { name: 'Remove: at 03:00 every day (UTC)' }).click();
  await own.getByRole('button', { name: 'Remove it: at 03:00 every day (UTC)' }).click();
  await gone;
  must((await title(page)).startsWith('Playbook:'), 'it left the page');
});

await act('a held run is let go on by a person', { scene: 'waiting', path: '/runs/01935a14-0000-7000-8000-000000000006' }, async (page) => {
  await page.getByRole('button', { name: 'Hold the run' }).click();
  await page.waitForFunction(() => document.querySelector('h1')?.textContent.endsWith('is held'));
  await axe(page, 'a held run');
  const asked = sent(page, 'POST', '/resume');
  await page.getByRole('button', { name: 'Let it go on' }).click();
  await asked;
  await page.getByRole('button', { name: 'Hold the run' }).waitFor();
});

await act('a key is trusted, and revoked when it is lost', { path: '/playbook-keys' }, async (page) => {
  await titled(page, '2 keys are trusted to sign playbooks');
  await page.getByLabel('Whose it is').fill('Port Authority');
  await page.getByLabel('Public key or certificate').fill('-----BEGIN PUBLIC KEY-----');
  await page.getByRole('button', { name: 'Trust it' }).click();
  await titled(page, '3 keys are trusted to sign playbooks');
  await page.getByRole('button', { name: 'Revoke: City CERT, playbooks' }).click();
  await axe(page, 'a key about to be revoked');
  await page.getByRole('button', { name: /lost or stolen: revoke/ }).click();
  await titled(page, '2 keys are trusted to sign playbooks');
  await page.getByRole('button', { name: 'Remove: Port Authority' }).click();
  await page.getByRole('button', { name: /Trust it no longer/ }).click();
  await titled(page, '1 key is trusted to sign playbooks');
});
