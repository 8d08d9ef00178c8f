// The live feed: new facts show at once, or wait behind a pill while somebody reads or has paused.
import { useSyncExternalStore } from 'react';
import type { Fact } from '@/api/types';

export const FEED_LIMIT = 200;

export interface Feed {
  shown: Fact[];
  waiting: Fact[];
  held: boolean;
  paused: boolean;
}

/** Newest first, each fact once, at most `limit`. */
export function merge(newer: Fact[], older: Fact[], limit = FEED_LIMIT): Fact[] {
  const bySeq = new Map<number, Fact>();
  for (const fact of [...older, ...newer]) bySeq.set(fact.seq, fact);
  return [...bySeq.values()].sort((a, b) => b.seq - a.seq).slice(0, limit);
}

class FeedStore {
  private state: Feed = { shown: [], waiting: [], held: false, paused: false };
  private readonly listeners = new Set<() => void>();

  read = (): Feed => this.state;

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  arrive(...facts: Fact[]): void {
    if (this.state.held || this.state.paused) this.set({ waiting: merge(facts, this.state.waiting) });
    else this.set({ shown: merge(facts, this.state.shown) });
  }

  history(facts: Fact[]): void {
    this.set({ shown: merge(facts, this.state.shown) });
  }

  /** True while the pointer or the focus is in the list: nothing may move under it. */
  hold(held: boolean): void {
    if (held !== this.state.held) this.set({ held });
    if (!held && !this.state.paused) this.release();
  }

  pause(paused: boolean): void {
    this.set({ paused });
    if (!paused) this.release();
  }

  release(): void {
    if (this.state.waiting.length === 0) return;
    this.set({ shown: merge(this.state.waiting, this.state.shown), waiting: [] });
  }

  private set(change: Partial<Feed>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

export const feed = new FeedStore();

export function useFeed(): Feed {
  return useSyncExternalStore(feed.subscribe, feed.read);
}
