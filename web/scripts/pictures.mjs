// Copies the screenshots that the page test made into docs/pictures/, under the names the documents use.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const from = fileURLToPath(new URL('../test-results/', import.meta.url));
const to = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
const PICTURES = {
  'situation-light': 'operator-situation-desk-light', 'situation-dark': 'operator-situation-desk-dark', 'incident-light': 'operator-incident-desk-light',
  'run-dark': 'operator-run-desk-dark', 'share-light': 'operator-share-desk-light', 'proof-dark': 'operator-proof-desk-dark', 'cert-light': 'cert-situation-desk-light',
  'incidents-light': 'operator-incidents-desk-light', 'figures-dark': 'operator-figures-desk-dark', 'sites-light': 'operator-sites-desk-light', 'account-dark': 'operator-account-desk-dark',
};
mkdirSync(to, { recursive: true });
for (const [name, source] of Object.entries(PICTURES)) {
  if (!existsSync(`${from}${source}.png`)) {
    console.error(`${source}.png is missing: run the page test first (npm run e2e)`);
    process.exitCode = 1;
    continue;
  }
  copyFileSync(`${from}${source}.png`, `${to}${name}.png`);
}
