// Acts that have an inverse say so here; the newest one is taken back by its button or by Ctrl+Z.

export interface Toast {
  id: number;
  text: string;
  /** Takes back what was done. */
  back: (() => Promise<unknown>) | undefined;
  more: { text: string; act: () => void } | undefined;
}

const MAX_SHOWN = 4;

let list: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  list = next;
  for (const tell of listeners) tell();
}

export const toasts = (): readonly Toast[] => list;

export function onToasts(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** Says something at the foot of the page; with `back` it can be taken back for as long as it is shown. */
export function toast(text: string, { back, more }: { back?: () => Promise<unknown>; more?: { text: string; act: () => void } } = {}): void {
  last += 1;
  set([...list, { id: last, text, back, more }].slice(-MAX_SHOWN));
}

export function forget(id: number): void {
  set(list.filter((one) => one.id !== id));
}

/** Takes back one act, or the newest that can be; false when there is none. */
export async function undo(id?: number): Promise<boolean> {
  const one = list.findLast((toast) => toast.back !== undefined && (id === undefined || toast.id === id));
  if (!one?.back) return false;
  forget(one.id);
  try {
    await one.back();
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
  }
  return true;
}
