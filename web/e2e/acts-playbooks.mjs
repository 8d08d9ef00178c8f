// Acts on playbooks: the editor with pointer and keyboard, import, changes, runs, approvals.
import { act, axe, must, title } from './stage.mjs';
import { cacao } from '../mock/playbooks.mjs';

const ID = '01935a15-0000-7000-8000-000000000007';
const EDIT = `/playbooks/${ID}/edit`;
const stepOf = (name) => Object.keys(cacao.workflow).find((id) => cacao.workflow[id].name === name);
const checked = (page, text) => page.locator('.report').getByText(text).first().waitFor();
const row = (page, name) => page.locator(`.outline button:has(.strong:text-is("${name}"))`);
const view = (page, name) => page.getByRole('group', { name: 'View', exact: true }).getByRole('button', { name }).click();
const part = (page, name) => page.getByRole('group', { name: 'Form' }).getByRole('button', { name, exact: true }).click();
const written = async (page) => JSON.parse(await page.locator('.document-view pre').textContent());

await act('a playbook is made with the keyboard alone', { path: '/playbooks' }, async (page) => {
  await page.getByRole('button', { name: 'New playbook' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('.canvas .react-flow__node');
  await checked(page, 'Not conformant: 1 error');
  await page.getByLabel('Name', { exact: true }).fill('Ask first');
  await checked(page, 'Conformant to CACAO v2.0');
  await part(page, 'Agents');
  await page.getByLabel('Add', { exact: true }).last().selectOption('individual');
  await page.getByLabel('Name', { exact: true }).fill('Duty officer');
  await view(page, 'Steps');
  await row(page, 'Start').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Insert');
  await page.waitForFunction(() => document.querySelectorAll('.outline li').length === 3);
  must(/^\s*2/.test(await page.locator('.outline [aria-pressed="true"]').textContent()), 'the new step is not behind the start');
  await checked(page, 'Not conformant: 2 errors');
  await axe(page, 'editor with errors');
  await part(page, 'Playbook');
  await page.locator('.report-lines button', { hasText: 'has no commands' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Look at it');
  await page.getByLabel('Agent').selectOption({ index: 1 });
  await page.getByRole('button', { name: 'Add a command' }).click();
  await page.getByLabel('What a person should do').fill('Look at the device.');
  await checked(page, 'Conformant to CACAO v2.0');
  const sent = page.waitForRequest((request) => request.url().endsWith('/playbooks') && request.method() === 'POST');
  await page.getByRole('button', { name: 'Save' }).click();
  const doc = (await sent).postDataJSON();
  must(Object.values(doc.workflow).some((one) => one.commands?.[0].command === 'Look at the device.'), 'the command is not stored');
  await page.waitForFunction(() => document.querySelector('h1')?.textContent === 'Playbook: Ask first');
});

await act('a playbook opened and left alone is what it was, and a draft outlives the page', { path: `${EDIT}?view=document` }, async (page) => {
  await page.waitForSelector('.document-view pre');
  must(JSON.stringify(await written(page)) === JSON.stringify(cacao) || JSON.stringify(sorted(await written(page))) === JSON.stringify(sorted(cacao)), 'something is lost');
  must(await page.getByRole('button', { name: 'Review changes' }).isDisabled(), 'there is something to save');
  await part(page, 'Playbook');
  await page.getByLabel('Name', { exact: true }).fill('Otherwise');
  await page.waitForTimeout(500);
  await page.reload();
  await page.getByText('This is your draft').waitFor();
  must((await title(page)).includes('Otherwise'), 'the draft is lost');
  await axe(page, 'a draft found');
  await page.getByRole('button', { name: 'Throw the draft away' }).click();
  await page.waitForFunction(() => document.querySelector('h1').textContent.includes('talking'));
  await page.waitForTimeout(500);
  await page.reload();
  await page.waitForSelector('.document-view pre');
  must((await title(page)).includes('talking'), 'the draft came back');
});

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  return value && typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : value;
}

await act('deleting asks where something is lost, and undo brings it back', { path: `${EDIT}?view=list` }, async (page) => {
  await row(page, 'Block the device').focus();
  await page.keyboard.press('Delete');
  const ask = page.getByRole('alertdialog');
  await ask.waitFor();
  must((await ask.textContent()).includes('1 way leads to it'), 'it does not say what is lost');
  await axe(page, 'the question');
  await ask.getByRole('button', { name: 'Delete' }).click();
  await page.waitForFunction(() => document.querySelectorAll('.outline li').length === 10);
  await page.locator('h1').click();
  await page.keyboard.press('Control+z');
  await page.waitForFunction(() => document.querySelectorAll('.outline li').length === 11);
  await page.keyboard.press('Control+Shift+z');
  await page.waitForFunction(() => document.querySelectorAll('.outline li').length === 10);
  await page.keyboard.press('Control+z');
  await row(page, 'Tell both').click();
  await page.getByLabel('Add', { exact: true }).first().selectOption('switch-condition');
  await page.waitForFunction(() => document.querySelectorAll('.outline li').length === 12);
  await page.getByLabel('Way out').selectOption('case');
  await page.getByLabel('Value', { exact: true }).fill('storm');
  await page.getByLabel('to', { exact: true }).selectOption(stepOf('Told'));
  await page.getByRole('button', { name: 'Connect' }).click();
  await page.locator('.outline', { hasText: 'case storm → ' }).waitFor();
  await page.getByRole('button', { name: 'Remove the way “case storm”' }).click();
  await checked(page, 'Not runnable here: 1 reason');
  await page.locator('.outline [aria-pressed="true"]').focus();
  await page.keyboard.press('Delete');
  await page.waitForFunction(() => document.querySelectorAll('.outline li').length === 11, null, { timeout: 5000 });
});

await act('a condition offers the variables while it is typed', { path: `${EDIT}?step=${stepOf('Is it severe?')}` }, async (page) => {
  const field = page.getByRole('combobox', { name: 'Condition' });
  await field.fill('');
  await field.pressSequentially('_k');
  await page.getByRole('option', { name: /__known__/ }).waitFor();
  await axe(page, 'variables offered');
  await page.keyboard.press('Enter');
  // The choice is written in after the key: typing goes on behind it.
  await page.waitForFunction(() => [...document.querySelectorAll('input, textarea')].some((one) => one.value === '__known__:value'));
  await page.keyboard.press('End');
  await page.keyboard.type(' = true');
  must((await field.inputValue()) === '__known__:value = true', await field.inputValue());
  const asked = page.waitForRequest((request) => request.url().endsWith('/validate'));
  must((await asked).postDataJSON().workflow[stepOf('Is it severe?')].condition === '__known__:value = true', 'the node is asked of something else');
});

await act('a line is drawn with the pointer, and base64 is shown as text', { path: EDIT }, async (page) => {
  await page.waitForSelector('.react-flow__node');
  const handle = (name, type) => page.locator(`.react-flow__node[data-id="${stepOf(name)}"] .react-flow__handle.${type}`);
  const at = async (where) => {
    const box = await where.boundingBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const before = await page.locator('.react-flow__edge').count();
  // The canvas comes to rest first: it fits itself to the window after its boxes are drawn.
  let [rest, now] = [null, JSON.stringify(await at(handle('Ask a person', 'target')))];
  while (rest !== now) {
    rest = now;
    await page.waitForTimeout(400);
    now = JSON.stringify(await at(handle('Ask a person', 'target')));
  }
  await page.mouse.move(...(await at(handle('Look the remote party up', 'source'))));
  await page.mouse.down();
  await page.mouse.move(...(await at(handle('Ask a person', 'target'))), { steps: 8 });
  await page.mouse.up();
  await page.waitForFunction((n) => document.querySelectorAll('.react-flow__edge').length === n + 1, before);
  await page.getByLabel('if it succeeds', { exact: true }).waitFor();
  await page.locator(`.react-flow__node[data-id="${stepOf('Ask a person')}"]`).click();
  must((await page.getByLabel('What a person should do').inputValue()).startsWith('Look at the device'), 'base64 is not shown as a text');
  await page.getByLabel('What a person should do').fill('Grüße ✓');
  await view(page, 'Document');
  const doc = await written(page);
  must(Buffer.from(doc.workflow[stepOf('Ask a person')].commands[0].command_b64, 'base64').toString() === 'Grüße ✓', 'base64 is written wrongly');
});

await act('what is no playbook is refused with the limit and the remedy', { path: `${EDIT}?view=document` }, async (page) => {
  await page.waitForSelector('.document-view pre');
  const bring = (text, name = 'x.json') => page.locator('input[type="file"]').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
  await bring('{"type": "playbook",');
  await page.getByText('This is not JSON').waitFor();
  await bring(`{"type":"playbook","description":"${'a'.repeat(1_100_000)}"}`);
  await page.getByText('a playbook has at most 1,048,576').waitFor();
  await axe(page, 'a file refused');
  must(JSON.stringify(sorted(await written(page))) === JSON.stringify(sorted(cacao)), 'the draft is touched');
  await page.getByLabel('Paste a playbook').fill('{"type":"bundle"}');
  await page.getByRole('button', { name: 'Take this text' }).click();
  await page.getByText('JSON of the type bundle').waitFor();
  await bring(JSON.stringify({ ...cacao, name: 'Brought' }));
  await page.waitForFunction(() => document.querySelector('h1').textContent.includes('Brought'));
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['[]'], 'x.json', { type: 'application/json' }));
    document.querySelector('.desk > section').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.getByText('This is JSON, but no object').waitFor();
});

await act('changes are shown before they are saved, and a refusal is said', { path: `${EDIT}?view=list` }, async (page) => {
  await row(page, 'Notify the desk').click();
  await page.getByLabel('Name', { exact: true }).fill('Ring the desk');
  await row(page, 'Ask a person').focus();
  await page.keyboard.press('Delete');
  await page.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Review changes' }).click();
  await page.waitForSelector('.canvas .step-box.is-removed');
  const table = page.locator('table.data');
  must((await table.getByRole('row', { name: /^step Ask a person/ }).textContent()).includes('removed'), 'the table does not say what is removed');
  must((await table.getByRole('row', { name: /^step Ring the desk/ }).textContent()).includes('Notify the desk'), 'the table does not say what it was');
  must((await page.locator('.step-box.is-removed').textContent()).includes('removed'), 'colour alone tells');
  await axe(page, 'changes');
  await page.route('**/api/v1/playbooks', (route) => (route.request().method() === 'POST' ? route.fulfill({ status: 409, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'It was changed meanwhile', status: 409, detail: 'A newer version is stored.', remedy: 'Look again.' }) }) : route.continue()));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('It was changed meanwhile').waitFor();
  await page.unroute('**/api/v1/playbooks');
  const sent = page.waitForRequest((request) => request.url().endsWith('/playbooks') && request.method() === 'POST');
  await page.getByRole('button', { name: 'Save' }).click();
  const doc = (await sent).postDataJSON();
  must(Math.abs(Date.parse(doc.modified) - Date.now()) < 60_000, `modified is ${doc.modified}`);
  must(JSON.stringify(doc['x-harbour-note']) === JSON.stringify(cacao['x-harbour-note']) && doc.created === cacao.created, 'what it does not know is not kept');
  await page.waitForFunction(() => document.querySelector('h1').textContent.startsWith('Playbook:'));
});

await act('a node that cannot be asked is said, and the draft is kept', { path: EDIT }, async (page) => {
  await checked(page, 'Conformant to CACAO v2.0');
  await page.route('**/api/v1/playbooks/validate', (route) => route.abort());
  await page.getByLabel('Name', { exact: true }).fill('Alone');
  await page.getByText('The node could not be asked').waitFor();
  await axe(page, 'the node cannot be asked');
  must((await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('sereno-playbook-draft')).length)) === 1, 'the draft is not kept');
});

await act('a run is lit on the canvas, several steps at once, and played again', { path: '/runs/01935a14-0000-7000-8000-000000000006?view=canvas' }, async (page) => {
  await page.waitForSelector('.step-box.is-done');
  await axe(page, 'the lit path');
  const slider = page.getByLabel('Moment');
  await slider.focus();
  await page.keyboard.press('Home');
  await page.waitForFunction(() => document.querySelectorAll('.step-box.is-running').length === 1);
  let most = 0;
  for (let n = 0; n < 20; n += 1) {
    most = Math.max(most, await page.locator('.step-box.action.is-running').count());
    await page.keyboard.press('ArrowRight');
  }
  must(most === 2, `${most} steps at once`);
  must((await page.locator('.replay').textContent()).includes('As it stands'), 'the end is not the present');
  await page.locator('.react-flow__node', { hasText: 'Tell the CERT' }).focus();
  await page.keyboard.press('Enter');
  await page.locator('.path-body', { hasText: 'receipt verified' }).waitFor();
  await axe(page, 'a step of the lit path');
  await page.getByRole('button', { name: 'Steps' }).click();
  await page.waitForSelector('.path li.done');
  must(!page.url().includes('view='), 'the list is not the plain address');
});

await act('what waits for a person is answered in one place', { scene: 'waiting' }, async (page) => {
  await page.getByRole('button', { name: /2 runs wait for a person/ }).click();
  await page.getByRole('menuitem', { name: /2 runs wait/ }).click();
  await page.waitForFunction(() => document.querySelector('h1').textContent === '2 steps wait for a person');
  must((await page.locator('.instruction').first().textContent()).includes('decide whether to block'), 'the instruction is not said');
  await axe(page, 'approvals');
  const panel = page.locator('main section.panel').first();
  await panel.getByLabel('A word with the answer').fill('Seen it.');
  const sent = page.waitForRequest((request) => request.url().endsWith('/answer'));
  await panel.getByRole('button', { name: 'Approve' }).click();
  must((await sent).postDataJSON().approve === true, 'it is not approved');
  await page.waitForFunction(() => document.querySelector('h1').textContent === '1 step waits for a person');
  await page.getByRole('button', { name: 'Decline' }).click();
  await page.getByText('Nobody is asked anything').waitFor();
  await axe(page, 'no approvals');
});
