// The node's time. A browser's clock may be wrong by hours; what is said of "ago" and "in" must not be.

/** A difference below this is the coarseness of the header, not a wrong clock. */
const COARSE_MS = 2_000;
/** From here on the person is told. */
export const WRONG_MS = 60_000;

let offset = 0;
const listeners = new Set<() => void>();

/** Learns from an answer: its `Date` is the node's time in whole seconds, somewhere between asking and hearing. */
export function noteDate(date: string | null, asked: number, heard: number): void {
  const at = date === null ? NaN : Date.parse(date);
  // An answer that was long on its way says too little.
  if (Number.isNaN(at) || heard - asked > COARSE_MS) return;
  const found = at + 500 - (asked + heard) / 2;
  const next = Math.abs(found) < COARSE_MS ? 0 : found;
  if (Math.abs(next - offset) < COARSE_MS) return;
  offset = next;
  for (const tell of listeners) tell();
}

/** Milliseconds since 1970 by the node's clock. */
export const serverNow = (): number => Date.now() + offset;

/** By how much the node is ahead of this browser, milliseconds. */
export const clockOffset = (): number => offset;

export function onClock(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}
