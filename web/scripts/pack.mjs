// Compresses what Vite built, writes the stamp that the Rust crate `web` watches, and makes Cargo look again.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const TEXT = /\.(html|js|css|svg|json|txt)$/;

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else yield path;
  }
}

const digest = createHash('sha256');
for (const path of [...files(dist)].sort()) {
  const bytes = readFileSync(path);
  digest.update(path.slice(dist.length)).update(bytes);
  if (!TEXT.test(path) || path.includes('/.vite/') || statSync(path).size < 512) continue;
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}
writeFileSync(join(dist, 'stamp.txt'), `${digest.digest('hex')}\n`);
const watched = fileURLToPath(new URL('../../crates/web/build.rs', import.meta.url));
if (existsSync(watched)) utimesSync(watched, new Date(), new Date());
