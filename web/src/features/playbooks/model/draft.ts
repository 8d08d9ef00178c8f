// A draft is kept in the browser until it is saved or thrown away, one for each playbook; so are the
// places people dragged steps to, which are no part of a playbook.
import { isObj, type Doc } from './document';
import type { Point } from './layout';

export interface Draft {
  doc: Doc;
  /** `modified` of the stored version it began with; null for a new playbook. */
  base: string | null;
  /** When it was last changed, milliseconds since 1970. */
  at: number;
}

type Store = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
const draftKey = (id: string) => `sereno-playbook-draft:${id}`;
const placeKey = (id: string) => `sereno-playbook-places:${id}`;

/** Without storage (a private window) nothing is kept, and nothing breaks. */
function quietly<T>(act: () => T, otherwise: T): T {
  try {
    return act();
  } catch {
    return otherwise;
  }
}

export function readDraft(id: string, store: Store): Draft | null {
  return quietly(() => {
    const value: unknown = JSON.parse(store.getItem(draftKey(id)) ?? 'null');
    if (!isObj(value) || !isObj(value.doc) || typeof value.at !== 'number') return null;
    return { doc: value.doc, base: typeof value.base === 'string' ? value.base : null, at: value.at };
  }, null);
}

/** False where the browser has no room or no storage: the page says so. */
export const keepDraft = (id: string, draft: Draft, store: Store): boolean =>
  quietly(() => {
    store.setItem(draftKey(id), JSON.stringify(draft));
    return true;
  }, false);

export const dropDraft = (id: string, store: Store): void => quietly(() => store.removeItem(draftKey(id)), undefined);

export type Places = Record<string, Point>;

export function readPlaces(id: string, store: Store): Places {
  return quietly(() => {
    const value: unknown = JSON.parse(store.getItem(placeKey(id)) ?? '{}');
    const point = (one: unknown): one is Point => isObj(one) && Number.isFinite(one.x) && Number.isFinite(one.y);
    return isObj(value) ? Object.fromEntries(Object.entries(value).filter((entry): entry is [string, Point] => point(entry[1])).map(([key, one]) => [key, { x: one.x, y: one.y }])) : {};
  }, {});
}

export function keepPlaces(id: string, places: Places, store: Store): void {
  quietly(() => (Object.keys(places).length === 0 ? store.removeItem(placeKey(id)) : store.setItem(placeKey(id), JSON.stringify(places))), undefined);
}
