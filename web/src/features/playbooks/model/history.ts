// Undo and redo. Keys typed into one field close together are one change.
import type { Doc } from './document';

const MOST = 300;
const TOGETHER_MS = 1200;

export interface History {
  past: Doc[];
  now: Doc;
  future: Doc[];
  /** What was changed last, and when. */
  last: { what: string; at: number } | null;
}

export const historyOf = (doc: Doc): History => ({ past: [], now: doc, future: [], last: null });

/** `what` names the field a text is typed into; an act of its own has none. */
export function change(history: History, next: Doc, what: string | null, at: number): History {
  if (next === history.now) return history;
  const goesOn = what !== null && history.last?.what === what && at - history.last.at < TOGETHER_MS;
  return {
    past: goesOn ? history.past : [...history.past, history.now].slice(-MOST),
    now: next,
    future: [],
    last: what === null ? null : { what, at },
  };
}

export function undo(history: History): History {
  const before = history.past.at(-1);
  if (before === undefined) return history;
  return { past: history.past.slice(0, -1), now: before, future: [history.now, ...history.future], last: null };
}

export function redo(history: History): History {
  const [next, ...future] = history.future;
  if (next === undefined) return history;
  return { past: [...history.past, history.now], now: next, future, last: null };
}
