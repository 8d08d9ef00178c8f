// Acts on intelligence: knowledge, feeds, collections, communities, sharing.
import { act, axe, must } from './stage.mjs';

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

await act('an import shows how far it is, also after the page was loaded again', { path: '/knowledge' }, async (page) => {
  let sent;
  let looks = 0;
  let release;
  const gate = new Promise((resolve) => (release = resolve));
  const state = () => {
    looks += 1;
    const done = looks > 4;
    return { id: 'i-1', name: 'bundle.json', label: 'Case 17', bytes: 2_000_000, state: done ? 'done' : 'storing', error: '', objects: 9_000, settled: done ? 9_000 : looks * 2_048, new: done ? 8_000 : looks * 2_048, updated: 0, older: 0, same: 0, conflicts: 400, refused: 600, made_at: new Date().toISOString(), ended_at: done ? new Date().toISOString() : null };
  };
  await page.route('**/api/v1/intel/imports*', async (route) => {
    if (route.request().method() === 'GET') return route.fulfill({ json: { items: sent ? [state()] : [], next: null, total: 0 } });
    sent = { url: route.request().url(), head: route.request().headers()['x-sereno-request'] };
    await gate;
    return route.fulfill({ status: 202, json: { ...state(), state: 'waiting' } });
  });
  await page.route('**/api/v1/intel/imports/i-1/problems*', (route) => route.fulfill({ json: { items: Array.from({ length: 200 }, (_, index) => ({ index, id: 'x', reason: 'broken' })), next: null, total: 200 } }));
  await page.getByRole('link', { name: 'Import' }).click();
  await page.getByText('Nothing imported yet').waitFor();
  await page.locator('input[type="file"]').setInputFiles({ name: 'bundle.json', mimeType: 'application/json', buffer: Buffer.alloc(2_000_000, 32) });
  await page.getByLabel('Called').fill('Case 17');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByText(/of 2.00 MB sent/).waitFor();
  release();
  await page.getByText(/of 9,000 objects/).waitFor();
  must(new URL(sent.url).searchParams.get('name') === 'bundle.json' && new URL(sent.url).searchParams.get('label') === 'Case 17' && sent.head === '1', `sent ${JSON.stringify(sent)}`);
  must(page.url().endsWith('?id=i-1'), `the address is ${page.url()}`);
  await page.reload();
  await page.getByText('The list below holds the first 200 of 1,000').waitFor();
  await page.locator('header', { hasText: 'bundle.json' }).getByText('done').waitFor();
  must((await page.getByRole('link', { name: 'Save the whole list' }).getAttribute('download')) === 'bundle.json-not-stored.json', 'the list cannot be saved');
  await axe(page, 'an import');
});

await act('a file that is too large says so and stays chosen', { path: '/knowledge/import' }, async (page) => {
  await page.route('**/api/v1/intel/imports?*', (route) => (route.request().method() === 'POST' ? route.fulfill({ status: 413, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Too large', status: 413, detail: 'the bundle is larger than 64 bytes; nothing was stored', remedy: 'Send it in parts.' }) }) : route.fallback()));
  await page.locator('input[type="file"]').setInputFiles({ name: 'big.json', mimeType: 'application/json', buffer: Buffer.from('{}') });
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByText('Send it in parts.').waitFor();
  must(await page.getByRole('button', { name: 'Import', exact: true }).isEnabled(), 'the file is forgotten');
});

await act('only the first values of an object are shown, and that is said', { path: '/knowledge' }, async (page) => {
  await page.route(/intel\/objects\/[^/?]+(\?.*)?$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), values: Array.from({ length: 200 }, (_, n) => ({ value: `198.51.100.${n}`, kind: 'address', held: 1, too_common: false })) } });
  });
  await page.getByRole('link', { name: 'Night Heron', exact: true }).click();
  await page.getByText('Only the first 200 values are shown').waitFor();
});

await act('a push is added with a secret that never comes back, changed, and removed when asked twice', { path: '/feeds' }, async (page) => {
  const asked = [];
  await page.route('**/api/v1/pushes**', (route) => {
    if (route.request().method() === 'GET') return route.fallback();
    asked.push([route.request().method(), route.request().postDataJSON()]);
    return route.request().method() === 'DELETE' ? route.fulfill({ status: 204 }) : route.fulfill({ status: 200, json: {} });
  });
  await page.getByLabel('Name of the push').fill('partner');
  await page.getByLabel('Types').last().fill('indicator, malware');
  await page.getByLabel('Collection of the TAXII server').fill('https://taxii.example.org/c/');
  await page.locator('form', { hasText: 'New push' }).getByLabel('Who asks').selectOption('bearer');
  await page.locator('form', { hasText: 'New push' }).locator('input[type="password"]').fill('s3cret');
  const recipient = await page.locator('form', { hasText: 'New push' }).getByLabel('For').selectOption({ label: 'Harbour CERT' });
  await axe(page, 'a new push');
  await page.getByRole('button', { name: 'Add the push' }).click();
  await page.waitForFunction(() => document.querySelector('input[maxlength="120"]') && ![...document.querySelectorAll('input')].some((one) => one.value === 's3cret'));
  must(JSON.stringify(asked[0]) === JSON.stringify(['POST', { name: 'partner', url: 'https://taxii.example.org/c/', origin: { what: 'known', types: ['indicator', 'malware'] }, highest: 'green', every_minutes: 60, for: recipient[0], auth: { scheme: 'bearer' }, secret: 's3cret' }]), `asked ${JSON.stringify(asked)}`);
  await page.getByRole('button', { name: 'Change the push national' }).click();
  const form = page.locator('form', { hasText: 'Change the push national' });
  must((await form.locator('input[type="password"]').inputValue()) === '', 'a secret is shown');
  await form.getByLabel('Nothing above').selectOption('amber');
  await form.getByText('Holds for what comes from now on').waitFor();
  await axe(page, 'a push that is changed');
  await form.getByRole('button', { name: 'Save the push' }).click();
  await form.waitFor({ state: 'detached' });
  must(JSON.stringify(asked[1]) === JSON.stringify(['PATCH', { highest: 'amber', every_minutes: 60 }]), `an empty secret was sent: ${JSON.stringify(asked[1])}`);
  await page.getByRole('button', { name: 'Change the push national' }).click();
  await page.getByRole('button', { name: 'Remove: national' }).click();
  must(asked.length === 2, 'it went unasked');
  await page.getByRole('button', { name: 'Remove it: national' }).click();
  await form.waitFor({ state: 'detached' });
  must(asked[2][0] === 'DELETE', `asked ${JSON.stringify(asked)}`);
});

await act('a test of the policies is added to the others, and one is removed', { path: '/policies' }, async (page) => {
  const kept = [];
  await page.route('**/api/v1/sharing/tests', (route) => {
    if (route.request().method() !== 'PUT') return route.fallback();
    kept.push(route.request().postDataJSON().tests);
    return route.fulfill({ json: { items: [], next: null, total: 0 } });
  });
  await page.getByLabel('What must hold').fill('Vendors get no feed');
  await page.getByLabel('Expected').selectOption('no');
  await page.getByLabel("Recipient's kind").selectOption('vendor');
  await page.getByLabel('Said first by').selectOption('feed');
  await page.getByLabel("Source's name").fill('Paid list');
  await axe(page, 'a new test');
  await page.getByRole('button', { name: 'Add the test' }).click();
  await page.waitForFunction(() => [...document.querySelectorAll('input')].every((one) => one.value !== 'Paid list'));
  const made = kept[0].find((one) => one.name === 'Vendors get no feed');
  must(kept[0].length === 3 && made.expected === false && made.recipient.kind === 'vendor' && made.object.origin === 'feed' && made.object.source === 'Paid list' && made.object.received, `kept ${JSON.stringify(made)}`);
  await page.getByRole('button', { name: 'Remove: Water gets no amber' }).click();
  await page.getByRole('button', { name: 'Remove it: Water gets no amber' }).click();
  await page.waitForFunction(() => !document.querySelector('button[aria-label="Remove it: Water gets no amber"]:disabled'));
  must(kept[1].length === 1 && kept[1][0].name === 'A CERT gets green indicators', `kept ${JSON.stringify(kept[1])}`);
  await page.getByRole('button', { name: 'Run them again' }).click();
});

await act('an invitation is withdrawn, and a refused join says why and can be removed', { path: '/communities' }, async (page) => {
  const asked = [];
  await page.route(/communities\/.*(invitations|leave)/, (route) => {
    if (route.request().method() === 'GET') return route.fallback();
    asked.push(`${route.request().method()} ${new URL(route.request().url()).pathname.split('/').slice(-2).join('/')}`);
    return route.fulfill({ status: 204 });
  });
  await page.getByRole('link', { name: 'Trams of the coast' }).click();
  await page.getByRole('button', { name: 'Withdraw: Valley Water' }).click();
  must(asked.length === 0, 'it went unasked');
  await axe(page, 'invitations');
  const sent = page.waitForRequest((request) => request.method() === 'DELETE');
  await page.getByRole('button', { name: 'Withdraw now: Valley Water' }).click();
  await sent;
  must(asked[0] === `DELETE invitations/${'1'.repeat(64)}`, `asked ${asked}`);
  must((await page.getByRole('button', { name: /^Withdraw/ }).count()) <= 2, 'what is used can be withdrawn');
  await page.goBack();
  await page.getByRole('link', { name: 'Water circle' }).click();
  await page.getByText('Valley Water did not let this organisation in: no such community stands between us.').waitFor();
  await axe(page, 'a refused join');
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  const left = page.waitForRequest((request) => request.url().endsWith('/leave'));
  await page.getByRole('button', { name: 'Remove it' }).click();
  await left;
  must(asked[1]?.endsWith('/leave'), `asked ${asked}`);
});

await act('a leadership is offered, and taken only when asked twice', { path: '/communities' }, async (page) => {
  const asked = [];
  let refuse = true;
  await page.route(/communities\/.*lead/, (route) => {
    asked.push([new URL(route.request().url()).pathname.split('/').pop(), route.request().postDataJSON()]);
    if (!refuse || !route.request().url().endsWith('accept')) return route.fulfill({ status: 200, json: {} });
    refuse = false;
    return route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Conflict', status: 409, detail: '1 members do not exchange with this node and could not be told', errors: ['Valley Water'], remedy: 'Leave them behind.' }) });
  });
  await page.getByRole('link', { name: 'Trams of the coast' }).click();
  await page.getByRole('button', { name: 'Offer the leadership: Harbour CERT' }).click();
  await page.getByRole('button', { name: 'Offer it: Harbour CERT' }).click();
  await page.waitForFunction(() => !document.querySelector('button[aria-label="Offer it: Harbour CERT"]:disabled'));
  await page.goBack();
  await page.getByRole('link', { name: 'National circle' }).click();
  await page.getByText('You would lead: Valley Water').waitFor();
  await axe(page, 'a leadership on its way');
  await page.getByRole('button', { name: 'Take the leadership' }).click();
  must(asked.length === 1, 'taken unasked');
  await page.getByRole('button', { name: 'Lead it from now on' }).click();
  await page.getByRole('button', { name: 'Leave them behind' }).click();
  await axe(page, 'members that could not be told');
  await page.getByRole('button', { name: 'Lead without them' }).click();
  await page.waitForFunction(() => ![...document.querySelectorAll('button:disabled')].length);
  must(JSON.stringify(asked.map(([what]) => what)) === '["lead","accept","accept"]' && asked[2][1].leave_behind === true, `asked ${JSON.stringify(asked)}`);
});

await act('a webhook gets another secret, which is shown this once', { path: '/webhooks' }, async (page) => {
  let asked;
  await page.route('**/api/v1/webhooks/*/rotate', (route) => {
    asked = route.request().postDataJSON();
    return route.fallback();
  });
  await page.getByRole('button', { name: 'New secret for soar' }).click();
  await page.getByLabel('The old one signs too for').selectOption('604800');
  await page.getByRole('button', { name: 'Make it' }).click();
  await page.getByText('whsec_made-up').waitFor();
  must(asked.overlap_seconds === 604_800, `asked ${JSON.stringify(asked)}`);
  await axe(page, 'a new secret');
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

await act('a report is read, ticked and stored; an object is sighted', { path: '/knowledge/report' }, async (page) => {
  await page.fill('textarea', 'The second stage came from hxxp://bad-host-4711[.]top/a');
  await page.click('button:has-text("Look for values")');
  await page.waitForSelector('text=3 candidates in the report');
  must(await page.isChecked('input[aria-label="Take technique:T0826"]'), 'what has no doubt is not ticked');
  must(!(await page.isChecked('input[aria-label="Take ipv4:192.0.2.53"]')), 'what has doubts is ticked');
  await page.check('input[aria-label="Take ipv4:192.0.2.53"]');
  await page.fill('input[maxlength="300"]', 'Night Heron at the port');
  await axe(page, 'report');
  await page.click('button:has-text("Store 3 candidates")');
  await page.waitForSelector('text=Stored: 3 objects');
  await page.click('text=Open the report');
  await page.waitForSelector('text=Was it seen?');
  await page.click('button:has-text("False positive")');
  await page.waitForSelector('text=The score is 84 now.');
});

await act('a graph is opened one object at a time, and shows the way to another', { path: '/knowledge' }, async (page) => {
  await page.getByRole('link', { name: 'Night Heron', exact: true }).click();
  await page.getByRole('link', { name: 'Graph', exact: true }).click();
  await page.waitForSelector('.bundle-graph canvas');
  await page.locator('.bundle-list button', { hasText: 'Grey Egret' }).click();
  await page.getByRole('button', { name: 'Open what hangs on it' }).click();
  await page.waitForURL(/open=intrusion-set/);
  await page.getByRole('button', { name: 'Close it' }).waitFor();
  await page.getByRole('button', { name: 'Way to it' }).click();
  await page.getByText('Night Heron is 2 relations away.').waitFor();
  must(page.url().includes('to=intrusion-set') && page.url().includes('open=intrusion-set'), `the address is ${page.url()}`);
  await axe(page, 'graph');
  await page.getByRole('button', { name: 'Without the way' }).click();
  await page.waitForFunction(() => !globalThis.location.search.includes('to='));
});
