// While the pointer is over the lines of a list, or the keyboard's focus in them, nothing renews the page by itself: what
// somebody is about to press must not move. News waits behind a pill. A display on a wall holds nothing.

const LINES = '.frame main table.data tbody, .frame main [data-hold]';

let over = false;
const listeners = new Set<() => void>();

const within = (target: EventTarget | null): boolean => target instanceof Element && target.closest(LINES) !== null;

/** True while nothing may move. */
export function held(): boolean {
  const focus = document.activeElement;
  return over || (within(focus) && focus?.matches(':focus-visible') === true);
}

/** Tells when the pointer or the focus may have left the lines; until the returned function is called. */
export function onHold(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

function watch(next: boolean): void {
  if (next === over) return;
  over = next;
  for (const tell of listeners) tell();
}

if (typeof document !== 'undefined') {
  // A finger that was lifted is over nothing.
  document.addEventListener('pointerover', (event) => watch(event.pointerType !== 'touch' && within(event.target)));
  document.documentElement.addEventListener('pointerleave', () => watch(false));
  document.addEventListener('focusin', () => listeners.forEach((tell) => tell()));
  document.addEventListener('focusout', () => window.setTimeout(() => listeners.forEach((tell) => tell())));
}
