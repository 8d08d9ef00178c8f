// Acts on the gateway: what it holds, what it counts, what it is told.
import { act, axe, must } from './stage.mjs';

const GATEWAY = '/gateways/harbour-gw';
const panel = (page, title) => page.locator('section.panel', { has: page.getByRole('heading', { name: title, exact: true }) });

await act('a gateway is opened from the list, and its counts add up', { path: '/gateways' }, async (page) => {
  await page.click('table a[data-row]');
  await page.waitForURL(`**${GATEWAY}`);
  const counted = panel(page, 'Packets of the device side');
  await counted.getByText('Live').waitFor();
  await page.waitForTimeout(1200);
  const rows = await counted.locator('tbody tr').evaluateAll((list) => list.map((row) => [row.querySelector('th').textContent, Number(row.querySelector('td').textContent.replaceAll(',', ''))]));
  const seen = rows.at(-1)[1];
  const sum = rows.slice(0, -1).reduce((all, row) => all + row[1], 0);
  must(rows.at(-1)[0] === 'Came in' && seen === sum && seen > 53_000, `the sum does not hold: ${JSON.stringify(rows)}`);
  must(rows.some((row) => row[0].includes('blocked') && row[1] > 12_188), 'the counts do not move');
  await axe(page, 'a gateway');
});

await act('orders in force say why, until when, what they caught and how that is known; one is ended', { path: GATEWAY }, async (page) => {
  const held = panel(page, '3 orders in force');
  const row = held.locator('tbody tr', { hasText: '02:1b:00:00:00:07' });
  // How it is known comes with the orders, which may arrive after the gateway's own list.
  await row.getByText('from 3 to 4').waitFor();
  const text = await row.textContent();
  for (const part of ['Quarantine', 'wait for its maker', '7 h', '412 packets', 'Proven', 'from 3 to 4']) must(text.includes(part), `“${part}” is not said: ${text}`);
  must((await held.locator('tbody tr', { hasText: '192.168.100.140' }).textContent()).includes('no test frame'), 'what was not tested is not told');
  const block = held.locator('tbody tr', { hasText: 'Block' });
  must((await block.getByRole('link', { name: 'its incident' }).getAttribute('href')).startsWith('/incidents/'), 'the reason is no door');
  must(await held.locator('.scroll').evaluate((one) => one.scrollWidth <= one.clientWidth), 'the table does not fit');
  const asked = page.waitForRequest((request) => request.url().endsWith('/gateways/harbour-gw/orders') && request.method() === 'POST');
  await row.getByRole('button', { name: 'End it' }).click();
  await row.getByRole('button', { name: 'Yes, end it' }).click();
  const body = (await asked).postDataJSON();
  must(body.verb === 'undo' && body.order === 'order-2', `asked ${JSON.stringify(body)}`);
  await panel(page, '2 orders in force').waitFor();
});

await act('an order by hand is asked twice and says only what its verb knows', { path: GATEWAY }, async (page) => {
  const form = panel(page, 'Give an order');
  const asked = [];
  page.on('request', (request) => request.method() === 'POST' && request.url().endsWith('/orders') && asked.push(request.postDataJSON()));
  must(await form.getByRole('button', { name: 'Give the order' }).isDisabled(), 'an order without a target can be given');
  await form.getByRole('button', { name: 'Rate limit' }).click();
  await form.getByLabel('MAC or addresses').fill('192.168.100.7');
  await form.getByText('Say how much may pass.').waitFor();
  await form.getByLabel('Packets a second').fill('20');
  await form.getByText('Only some of its traffic').click();
  await form.getByLabel('With (address or network)').fill('198.51.100.0/24');
  await form.getByLabel('Protocol').selectOption('17');
  await form.getByLabel('Why').fill('Asks the time too often');
  await axe(page, 'an order by hand');
  await form.getByRole('button', { name: 'Give the order' }).click();
  must(asked.length === 0, 'it went unasked');
  await form.getByRole('button', { name: 'Yes, give it' }).click();
  await panel(page, '4 orders in force').waitFor();
  must(JSON.stringify(asked[0]) === JSON.stringify({ verb: 'rate_limit', mac: null, addresses: ['192.168.100.7'], why: 'Asks the time too often', timeout_s: 3600, packets_s: 20, flow: { remote: '198.51.100.0/24', protocol: 17, remote_port: null, direction: null } }), `asked ${JSON.stringify(asked)}`);
  await page.getByText('Limit at harbour-gw').first().waitFor();
});

await act('mode, fail mode and protected addresses change with a second yes, and the change is history', { path: GATEWAY }, async (page) => {
  const policy = panel(page, 'Policy');
  must(await policy.getByRole('button', { name: 'Save' }).isDisabled(), 'nothing can be saved');
  await policy.getByRole('button', { name: 'Dry run' }).click();
  await policy.getByLabel('Never cut off').fill('192.168.100.1\n10.20.0.53\n10.20.0.54');
  await policy.getByRole('button', { name: 'Save' }).click();
  const asked = page.waitForRequest((request) => request.method() === 'PUT');
  await axe(page, 'a policy that is changed');
  await policy.getByRole('button', { name: 'Yes, change it' }).click();
  must(JSON.stringify((await asked).postDataJSON()) === JSON.stringify({ mode: 'dry_run', protect: ['192.168.100.1', '10.20.0.53', '10.20.0.54'] }), 'what did not change was sent');
  await page.getByText('Version 4 holds').waitFor();
  must((await page.textContent('h1')).includes('only tries'), 'the title does not say it');
  must((await panel(page, 'Changes of policy and lists').locator('tbody tr').first().textContent()).includes('Duty officer'), 'nobody changed it');
  await panel(page, 'Give an order').getByText('will not stop anything').waitFor();
});

await act('a list shows what it stopped, takes an entry by hand and is frozen', { path: GATEWAY }, async (page) => {
  const lists = panel(page, 'Allow lists');
  await lists.getByText('37 packets stopped').waitFor();
  await lists.getByRole('button', { name: 'Open: 02:1b:00:00:00:07' }).click();
  must(page.url().includes('list=02'), 'the open list is not in the address');
  const one = lists.getByRole('region', { name: 'Allow list of 02:1b:00:00:00:07' });
  await one.getByLabel('Add by hand').fill('10.20.0.9,tpc');
  must(await one.getByRole('button', { name: 'Add', exact: true }).isDisabled(), 'a wrong entry can be added');
  await one.getByLabel('Add by hand').fill('10.20.0.9,tcp,502');
  const added = page.waitForRequest((request) => request.method() === 'PUT');
  await one.getByRole('button', { name: 'Add', exact: true }).click();
  const body = (await added).postDataJSON();
  must(body.state === 'learning' && body.learn_s > 400_000 && body.add[0].port === 502, `learning ends otherwise: ${JSON.stringify(body)}`);
  await one.getByText('TCP 502').waitFor();
  await axe(page, 'an allow list');
  await one.getByRole('button', { name: 'Freeze and enforce' }).click();
  await one.getByRole('button', { name: 'Yes, stop what is not listed' }).click();
  await one.getByText('Enforced', { exact: true }).waitFor();
  must(await one.getByLabel('Enforce the list at once').isChecked(), 'a file taken over would switch the list off unasked');
});

await act('a maker’s file is looked at before it is taken over', { path: `${GATEWAY}?list=02:1b:00:00:00:07` }, async (page) => {
  const form = page.getByRole('form', { name: 'From the maker (MUD file)' });
  await form.locator('input[type="file"]').setInputFiles({ name: 'camera.json', mimeType: 'application/json', buffer: Buffer.from('{"ietf-mud:mud":{}}') });
  await form.getByRole('button', { name: 'Show what it would allow' }).click();
  await form.getByText('say the addresses of this name').waitFor();
  await form.getByLabel('What its names stand for').fill('updates.example.com=192.0.2.7');
  must((await form.getByText('Not carried over').count()) === 0, 'an old look stands beside new words');
  await form.getByRole('button', { name: 'Show what it would allow' }).click();
  await form.getByText('2 entries would be taken over').waitFor();
  await axe(page, 'a maker’s file');
  await form.getByRole('button', { name: 'Take it over' }).click();
  await form.getByText('2 entries taken over.').waitFor();
  await page.getByRole('region', { name: 'Allow list of 02:1b:00:00:00:07' }).getByText('TCP 443').waitFor();
});
