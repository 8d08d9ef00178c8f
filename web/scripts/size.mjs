// Prints the JavaScript of the entry (what is needed before the frame is painted) as sent, and fails above the limit;
// and what each page adds to it.
import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT_KB = 150;
const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, 'utf8'));

function reach(keys) {
  const seen = new Set();
  const open = [...keys];
  while (open.length > 0) {
    const key = open.pop();
    if (seen.has(key)) continue;
    seen.add(key);
    open.push(...(manifest[key].imports ?? []));
  }
  return [...seen].map((key) => manifest[key].file).filter((file) => file.endsWith('.js'));
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const pages = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry);
const sizeOf = (file) => gzipSync(readFileSync(dist + file), { level: 9 }).length / 1024;
const brotliOf = (file) => statSync(`${dist}${file}.br`, { throwIfNoEntry: false })?.size / 1024;
const total = (list, size) => list.reduce((sum, file) => sum + (size(file) || 0), 0);

const first = reach([entry]);
console.log('entry:');
for (const file of first) console.log(`  ${sizeOf(file).toFixed(1).padStart(7)} KB gzip  ${file}`);
for (const key of pages) {
  const own = reach([key]).filter((file) => !first.includes(file));
  if (own.length > 0) console.log(`  ${total(own, sizeOf).toFixed(1).padStart(7)} KB gzip more on ${key}`);
}
const gzip = total(first, sizeOf);
console.log(`entry: ${gzip.toFixed(1)} KB gzip, ${total(first, brotliOf).toFixed(1)} KB Brotli; limit ${LIMIT_KB} KB gzip`);
if (gzip > LIMIT_KB) {
  console.error(`over the limit of ${LIMIT_KB} KB: load something lazily`);
  process.exit(1);
}
