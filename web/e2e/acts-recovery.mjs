// Acts on recovery: what can be put back, what it cost, which blocks end by themselves.
import { act, axe, must } from './stage.mjs';

await act('recovery says what works, what does not and why', { path: '/recovery' }, async (page) => {
  await page.getByText('CRIU 3.17 does not start on this kernel').waitFor();
  for (const text of ['start its agent', 'not an intruder with the rights of the agent', 'every 39 min of operation']) must(await page.getByText(text).count(), `“${text}” is not said`);
  must(await page.getByRole('button', { name: 'Take now: signals' }).isDisabled(), 'what does not work can be ordered');
  await axe(page, 'recovery');
  const asked = page.waitForRequest((request) => request.method() === 'POST');
  await page.getByRole('button', { name: 'Take now: telemetry' }).click();
  const body = (await asked).postDataJSON();
  must(body.verb === 'take' && body.service === 'telemetry' && body.agent === 'harbour', `asked ${JSON.stringify(body)}`);
  await page.getByText('Under way', { exact: true }).waitFor();
});

await act('a restart from before says where it would start, and is asked twice', { path: '/recovery' }, async (page) => {
  const asked = [];
  page.on('request', (request) => request.method() === 'POST' && asked.push(request.postDataJSON()));
  await page.getByRole('button', { name: 'Checkpoints: telemetry' }).click();
  must(page.url().includes('service=telemetry'), 'the service is not in the address');
  const panel = page.locator('#service');
  for (const text of ['Can be restored', 'Suspect, never restored', 'Evidence, never restored']) must(await panel.getByText(text).count(), `“${text}” is not said`);
  await panel.getByText('Choose the incident or say when').waitFor();
  const hour = await page.evaluate(() => {
    const date = new Date(Date.now() - 30 * 60_000);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  });
  await panel.getByLabel('First evidence').fill(hour);
  await panel.getByText('It would start from number 13').waitFor();
  await panel.getByLabel('Margin, seconds').fill('86400');
  await panel.getByText('No checkpoint is old enough').waitFor();
  await panel.getByLabel('If none is old enough').selectOption('oldest');
  await panel.getByText('may hold the intruder already').waitFor();
  await axe(page, 'a restart from before');
  await panel.getByRole('button', { name: 'Restore: telemetry' }).click();
  must(asked.length === 0, 'it went unasked');
  await panel.getByRole('button', { name: 'Yes, work since then is lost: telemetry' }).click();
  await page.waitForURL('**order=order-3*');
  must(asked[0].verb === 'restore_before' && asked[0].when_none === 'oldest' && asked[0].margin_s === 86_400 && !Number.isNaN(Date.parse(asked[0].evidence_at)), `asked ${JSON.stringify(asked)}`);
  await page.getByText('drawn by chance and not told before').waitFor();
  must(await panel.getByRole('button', { name: 'Restore: telemetry' }).count(), 'a second press would restore once more');
});

await act('a report says what it cost, the risk and what both rest on', { path: '/recovery?order=restore-1' }, async (page) => {
  const report = page.getByRole('region', { name: 'Restore from before: telemetry' });
  const text = await report.textContent();
  for (const part of ['4 s', '1 h 50 min', '1.24 MB', '0.84', 'Gamma(2, 600 s)', 'number in a file']) must(text.includes(part), `“${part}” is not said: ${text}`);
  await page.getByRole('button', { name: /Report: .*restore-0/ }).click();
  await page.getByText('with all work lost').waitFor();
});

await act('a health check is added and removed, and lifting is stopped and begun anew', { path: '/recovery' }, async (page) => {
  const asked = [];
  page.on('request', (request) => ['POST', 'DELETE'].includes(request.method()) && asked.push([request.method(), new URL(request.url()).pathname, request.postDataJSON()]));
  const form = page.locator('form', { hasText: 'A new check' });
  await form.getByLabel('MAC or address').fill('10.0.0.9');
  await form.getByLabel('What is asked').selectOption('modbus');
  await form.getByLabel('Address and port').fill('10.0.0.9:502');
  await form.getByLabel('Register').fill('3');
  await form.getByLabel('Smallest').fill('46');
  await form.getByLabel('Largest').fill('45');
  must(await form.getByRole('button', { name: 'Add the check' }).isDisabled(), 'nothing could ever be well');
  await form.getByLabel('Smallest').fill('40');
  await form.getByRole('button', { name: 'Add the check' }).click();
  await page.getByText('Register 3 at 10.0.0.9:502').or(page.getByText('register 3 at 10.0.0.9:502')).first().waitFor();
  must(JSON.stringify(asked[0][2]) === JSON.stringify({ target: '10.0.0.9', check: { kind: 'modbus', address: '10.0.0.9:502', unit: 1, register: 3, min: 40, max: 45 } }), `asked ${JSON.stringify(asked)}`);
  await page.getByRole('button', { name: /^Remove: register 3 at 10.0.0.9:502/ }).click();
  await page.getByRole('button', { name: /^Yes, remove it/ }).click();
  await page.getByText('register 3 at 10.0.0.9:502').waitFor({ state: 'detached' });
  const lift = page.getByRole('region', { name: /^Lifting the block of/ });
  must((await lift.locator('[aria-current="step"]').textContent()).startsWith('Trial 2'), 'the step is not the one that runs');
  await lift.getByRole('button', { name: /^Stop/ }).click();
  await lift.getByRole('button', { name: /^Yes, leave it blocked/ }).click();
  await lift.getByText('Stopped by hand').waitFor();
  await axe(page, 'lifting');
  await lift.getByRole('button', { name: /^Begin anew/ }).click();
  await lift.getByRole('button', { name: /^Yes, try it now/ }).click();
  await lift.locator('[aria-current="step"]', { hasText: 'Held' }).waitFor();
  must(asked.slice(2).map((one) => one[2].action).join() === 'stop,again', `asked ${JSON.stringify(asked)}`);
});

await act('an incident shows when it was detected, contained, eradicated and recovered', { path: '/incidents' }, async (page) => {
  await page.click('table a[data-row]');
  const panel = page.locator('section.panel', { has: page.getByRole('heading', { name: 'From detection to recovery' }) });
  await panel.locator('li').first().waitFor();
  const lines = await panel.locator('li').allTextContents();
  must(lines.length === 4 && lines[2].includes('27 s after it was detected') && lines[3].includes('not yet'), `the moments are ${JSON.stringify(lines)}`);
  await panel.getByRole('link', { name: 'Recovery' }).click();
  await page.waitForURL('**/recovery');
});

await act('when an infection really began is told afterwards', { path: '/recovery' }, async (page) => {
  const lift = page.getByRole('region', { name: /^Lifting the block of/ });
  await lift.getByText('When did the infection really begin?').click();
  must(await lift.getByRole('button', { name: 'Keep' }).isDisabled(), 'nothing was said');
  await lift.getByLabel('Infected at').fill('2018-07-20T10:00:00');
  const asked = page.waitForRequest((request) => request.method() === 'PUT');
  await lift.getByRole('button', { name: 'Keep' }).click();
  const request = await asked;
  must(new URL(request.url()).pathname.startsWith('/api/v1/recovery/delays/') && !Number.isNaN(Date.parse(request.postDataJSON().infected_at)), `asked ${request.url()} ${request.postData()}`);
  await lift.getByText('from the infection to the first evidence').waitFor();
  await axe(page, 'when it began');
});
