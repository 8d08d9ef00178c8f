// Prints what each language lacks and has too much; fails on a key that nobody asks for and on places that are not
// those of the English text. `npm run strings -- --all` lists every missing key.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const vite = await createServer({ configFile: false, logLevel: 'error', server: { middlewareMode: true, hmr: false, ws: false, watch: null } });
const { check } = await vite.ssrLoadModule('/src/strings/check.ts');
const { LOCALES } = await vite.ssrLoadModule('/src/strings/locale.ts');
await vite.close();
const folder = fileURLToPath(new URL('../src/strings/', import.meta.url));
const read = (name) => JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8'));
const english = { ...read('en'), ...read('pages') };
const SHOWN = process.argv.includes('--all') ? Infinity : 8;
const list = (keys) => `${keys.slice(0, SHOWN).join(', ')}${keys.length > SHOWN ? ` and ${keys.length - SHOWN} more` : ''}`;

for (const [name, own] of Object.keys(LOCALES).filter((one) => one !== 'en').map((one) => [one, read(one)])) {
  const { missing, surplus, broken } = check(english, own);
  const all = Object.keys(english).length;
  console.log(`${name}: ${all - missing.length} of ${all} texts; missing: ${list(missing)}`);
  for (const [what, keys] of [['asked for by nobody', surplus], ['places differ from the English text', broken]]) {
    if (keys.length === 0) continue;
    console.error(`${name}: ${what}: ${keys.join(', ')}`);
    process.exitCode = 1;
  }
}
