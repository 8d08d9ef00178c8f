// A page may be older than the node that serves it now: after the line was cut, the console's own page is asked for its
// entry once.
const own = typeof document === 'undefined' ? null : document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.getAttribute('src');

/** True when the node serves another console than the one that runs here. */
export async function isNewer(): Promise<boolean> {
  if (!own || own.startsWith('/src/')) return false;
  try {
    const answer = await fetch('/', { headers: { Accept: 'text/html' }, cache: 'no-store' });
    const text = await answer.text();
    const entry = /<script type="module"[^>]* src="([^"]+)"/.exec(text)?.[1];
    return answer.ok && entry !== undefined && entry !== own;
  } catch {
    return false;
  }
}
