// Writes NOTICE-web.md: every package whose code or fonts are served, and the tools; fails on a
// licence that is not on the list.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ALLOWED = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'CC0-1.0', 'OFL-1.1', 'MIT-0', 'BlueOak-1.0.0', 'Unlicense', 'Python-2.0', 'CC-BY-4.0']);
/** Unmodified, for tests and builds only: nothing of them is served. */
const TOOLS_ALSO = new Set(['MPL-2.0']);
const root = fileURLToPath(new URL('..', import.meta.url));
const lock = JSON.parse(readFileSync(`${root}/package-lock.json`, 'utf8'));

const served = [];
const tools = [];
const wrong = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '') continue;
  if (entry.resolved && !entry.resolved.startsWith('file:')) wrong.push(`${path}: the lock file names a registry; remove "resolved"`);
  const name = path.slice(path.lastIndexOf('node_modules/') + 13);
  const licence = entry.license ?? 'unknown';
  const choices = licence.replace(/[()]/g, '').split(' OR ');
  const fine = choices.some((one) => one.split(' AND ').every((part) => ALLOWED.has(part) || (entry.dev && TOOLS_ALSO.has(part))));
  if (!fine) wrong.push(`${name} ${entry.version}: ${licence}`);
  (entry.dev ? tools : served).push(`| ${name} | ${entry.version} | ${licence} |`);
}
if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}
const table = (rows) => `| package | version | licence |\n| --- | --- | --- |\n${[...new Set(rows)].sort().join('\n')}\n`;
writeFileSync(
  `${root}/NOTICE-web.md`,
  `# Third-party software in the console\n\nWritten by \`npm run notice\` from the lock file. The licence texts are in each package.\n\n## Served to browsers\n\n${table(served)}\nInter and JetBrains Mono are fonts under the SIL Open Font License 1.1. The outlines of the world are made with Natural Earth (public domain), packed by world-atlas.\n\n## Used to build and test only\n\n${table(tools)}`,
);
console.log(`${served.length} served, ${tools.length} tools`);
