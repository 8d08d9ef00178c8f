// Divides `src/strings/en.json`: what the frame itself says comes with the entry, the rest beside it. Pages wait for the
// rest, so that only the frame and the parts it uses have to know the difference (a test holds them to it).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** First words of the keys that the frame and the shared parts use. */
export const FRAME = ['account', 'act', 'again', 'clock', 'count', 'demo', 'error', 'first_run', 'forbidden', 'frame', 'health', 'help', 'inbox', 'line', 'live', 'lost', 'nav', 'newer', 'node', 'offline', 'page', 'palette', 'scheme', 'search', 'severity', 'sure', 'table', 'tag', 'time', 'undo', 'value', 'views', 'wall'];

const file = fileURLToPath(new URL('../src/strings/en.json', import.meta.url));
const NAMES = { 'virtual:texts/frame': true, 'virtual:texts/rest': false };

export function texts() {
  return {
    name: 'texts',
    resolveId: (id) => (id in NAMES ? `\0${id}` : undefined),
    load(id) {
      const frame = NAMES[id.slice(1)];
      if (id[0] !== '\0' || frame === undefined) return undefined;
      this.addWatchFile(file);
      const all = Object.entries(JSON.parse(readFileSync(file, 'utf8')));
      // Tests of functions wait for no page.
      const kept = all.filter(([key]) => (process.env.VITEST ? frame : FRAME.includes(key.split('.')[0]) === frame));
      return `export default ${JSON.stringify(Object.fromEntries(kept))};`;
    },
  };
}
