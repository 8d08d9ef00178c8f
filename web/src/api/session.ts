// When the session ends under a page: the page stays, what was typed stays, and what was to be done waits for the person
// to sign in again.
import { useSyncExternalStore } from 'react';

export type Again = 'same' | 'other' | 'no';

interface State {
  /** Who is at work here; nobody before the first sign-in and after the last sign-out. */
  person: string | null;
  /** They are asked to sign in again. */
  asking: boolean;
  /** Who signed in instead, once told. */
  other: string | null;
}

let state: State = { person: null, asking: false, other: null };
let waiting: ((again: Again) => void)[] = [];
const listeners = new Set<() => void>();

function set(change: Partial<State>): void {
  state = { ...state, ...change };
  for (const tell of listeners) tell();
}

export const session = {
  read: (): State => state,
  /** Somebody is signed in. */
  here(person: string): void {
    if (state.person !== person && !state.asking) set({ person });
  },
  /** They leave by their own will: nothing is asked. */
  leave(): void {
    set({ person: null, asking: false, other: null });
    session.answer('no');
  },
  /** The node does not know us any more; resolves when somebody has signed in, or wants to stop. */
  ask(): Promise<Again> {
    if (state.person === null) return Promise.resolve('no');
    if (!state.asking) set({ asking: true });
    return new Promise((resolve) => waiting.push(resolve));
  },
  /** Somebody signed in, or stopped. */
  answer(again: Again, name?: string): void {
    const told = waiting;
    waiting = [];
    if (state.asking) set({ asking: false, ...(again === 'other' && name ? { person: name, other: name } : {}) });
    for (const tell of told) tell(again);
  },
  seen(): void {
    set({ other: null });
  },
};

export function useSession(): State {
  return useSyncExternalStore((tell) => {
    listeners.add(tell);
    return () => listeners.delete(tell);
  }, session.read);
}
