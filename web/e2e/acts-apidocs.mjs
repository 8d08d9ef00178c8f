// Acts of somebody who writes a program against the API: find, read, copy, by keyboard alone.
import { act, axe, must } from './stage.mjs';

await act('an operation of the API is found, read and copied by keyboard', { path: '/api-docs' }, async (page) => {
  await page.getByRole('heading', { level: 1, name: /operations$/ }).waitFor();
  const title = await page.textContent('h1');
  must(/^The API: \d{3} operations$/.test(title), `the title is ${title}`);
  const foreign = [];
  page.on('request', (request) => new URL(request.url()).origin === new URL(page.url()).origin || foreign.push(request.url()));
  await page.getByLabel('Find an operation').focus();
  await page.keyboard.type('get incidents list_incidents');
  await page.getByRole('status').filter({ hasText: '1 operation' }).waitFor();
  // From the field to the section, then to what was found.
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  const detail = page.getByRole('region', { name: 'GET /api/v1/incidents', exact: true });
  await detail.waitFor();
  must(await detail.evaluate((node) => node === document.activeElement), 'the reader is not at what was opened');
  must(page.url().includes('op=list_incidents') && page.url().includes('q='), `the address is ${page.url()}`);
  const curl = await detail.locator('pre.curl').textContent();
  must(curl.startsWith('curl') && curl.includes('Bearer $SERENO_TOKEN') && curl.includes('/api/v1/incidents'), curl);
  await detail.getByText('Who may:').waitFor();
  await detail.getByRole('button', { name: 'open items' }).first().click();
  await detail.getByRole('button', { name: 'close items' }).waitFor();
  await axe(page, 'operation');
  must(foreign.length === 0, `asked elsewhere: ${foreign}`);
  await page.goBack();
  await page.getByText('Before the first call').waitFor();
});

await act('an operation that is not there is said to be not there', { path: '/api-docs?op=no_such_operation' }, async (page) => {
  await page.getByText('This operation is not in the description of this node').waitFor();
  await page.getByLabel('Find an operation').fill('no such words');
  await page.getByText('Nothing has all these words').waitFor();
  await axe(page, 'nothing found');
});
