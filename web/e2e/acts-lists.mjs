// Acts on lists: a question written by keyboard, turned round, refused in its place, and the columns in the address.
import { act, axe, must } from './stage.mjs';

const asked = (page) => new URL(page.url()).searchParams.get('q');

await act('a list is asked by keyboard, with completion', { kind: 'cert', path: '/incidents' }, async (page) => {
  const bar = page.getByRole('combobox', { name: 'What to look for' });
  must((await bar.inputValue()) === 'is:open', 'the usual question is not shown');
  await bar.fill('sev');
  await page.getByRole('option', { name: /^severity:/ }).waitFor();
  await axe(page, 'a list with offers');
  for (const key of ['ArrowDown', 'Enter']) await bar.press(key);
  await bar.pressSequentially('hi');
  await page.getByRole('option', { name: /^high/ }).waitFor();
  for (const key of ['ArrowDown', 'Enter', 'Enter']) await bar.press(key);
  await page.waitForFunction(() => new URL(location.href).searchParams.get('q') === 'severity:high');
  const chip = page.getByRole('list', { name: 'What is asked' });
  await chip.getByRole('button', { name: 'severity:high', exact: true }).click();
  must(asked(page) === '-severity:high', `turned to ${asked(page)}`);
  await chip.getByRole('button', { name: 'Take out -severity:high' }).click();
  must(asked(page) === '*', `left ${asked(page)}`);
});

await act('what cannot be read is said where it stands', { kind: 'cert', path: '/incidents?q=is%3Aopen%20colour%3Ared' }, async (page) => {
  const alert = page.getByRole('alert');
  await alert.waitFor();
  const text = await alert.textContent();
  must(text.includes('character 9') && text.includes('fields are is, state'), text);
  must((await page.locator('main').getByRole('combobox').getAttribute('aria-invalid')) === 'true', 'the field does not say that it is wrong');
  await axe(page, 'a query that cannot be read');
});

await act('a cell filters in and out, and the columns stand in the address', { kind: 'operator', path: '/findings' }, async (page) => {
  await page.locator('a[data-row]').first().waitFor();
  await axe(page, 'findings');
  await page.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemradio', { name: 'Address' }).click();
  await page.keyboard.press('Escape');
  must(new URL(page.url()).searchParams.get('cols').includes('address'), page.url());
  await page.locator('td .list-value').first().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Leave these out' }).click();
  must(/^-severity:/.test(asked(page)), `asked ${asked(page)}`);
});
