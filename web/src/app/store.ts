// What arrives live and is not kept by the query cache: the newest word on each topic.
import { useSyncExternalStore } from 'react';
import type { DeviceCounters, GatewayTotals, SourceState, WatchState } from '@/api/types';

export type Line = 'opening' | 'live' | 'reconnecting';

export interface Live {
  line: Line;
  /** Wall time (ms) of the last sign of life. */
  heardAt: number | null;
  counters: Record<string, DeviceCounters>;
  countersAt: number | null;
  /** Wall time (ms, by the node's clock) since which nothing is heard. */
  cutAt: number | null;
  /** The node serves another console than the one that runs here. */
  newer: boolean;
  /** Facts that wait until the reader's hand is off the list. */
  waiting: number;
  /** Facts of the last whole second. */
  rate: number;
  /** By gateway. */
  totals: Record<string, GatewayTotals>;
  source: Record<string, SourceState>;
  training: Record<string, WatchState>;
}

let state: Live = { line: 'opening', heardAt: null, cutAt: null, newer: false, waiting: 0, rate: 0, counters: {}, countersAt: null, totals: {}, source: {}, training: {} };
const listeners = new Set<() => void>();

export function patchLive(change: Partial<Live>): void {
  state = { ...state, ...change };
  for (const listener of listeners) listener();
}

export function readLive(): Live {
  return state;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useLive<T>(pick: (live: Live) => T): T {
  return useSyncExternalStore(subscribe, () => pick(state));
}
