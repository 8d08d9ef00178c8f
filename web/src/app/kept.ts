// A person's preferences as this browser remembers them: read before the first paint and while the node is away. The
// node's word wins as soon as it is heard.

export type Theme = 'system' | 'light' | 'dark' | 'contrast-light' | 'contrast-dark';
export const KEY_GROUPS = ['go', 'move', 'act', 'undo'] as const;
export type KeyGroup = (typeof KEY_GROUPS)[number];

export interface Preferences {
  theme?: Theme;
  density?: 'normal' | 'compact';
  language?: string;
  keys?: boolean;
  keys_off?: KeyGroup[];
  tour_seen?: boolean;
  zone?: string;
  reduced_motion?: boolean;
  /** Id of the view that is the first page. */
  home?: string;
}

const KEY = 'sereno-preferences';

let now: Preferences = read();
const listeners = new Set<() => void>();

function read(): Preferences {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return typeof found === 'object' && found !== null ? found : {};
  } catch {
    return {};
  }
}

export const kept = (): Preferences => now;

export function keep(next: Preferences): void {
  now = next;
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Without storage it holds until the page is closed.
  }
  paint(next);
  for (const tell of listeners) tell();
}

export function onKept(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function schemeOf(theme: Theme | undefined): 'auto' | 'light' | 'dark' {
  if (theme === 'dark' || theme === 'contrast-dark') return 'dark';
  return theme === 'light' || theme === 'contrast-light' ? 'light' : 'auto';
}

/** Puts on the page what style sheets ask for; the same words as `public/theme.js`. */
function paint({ theme, density, reduced_motion: still }: Preferences): void {
  const root = document.documentElement;
  root.toggleAttribute('data-contrast', theme?.startsWith('contrast') ?? false);
  root.toggleAttribute('data-compact', density === 'compact');
  root.toggleAttribute('data-still', still === true);
}
