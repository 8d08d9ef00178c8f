// Pages as people keep them.
import { queryOptions } from '@tanstack/react-query';
import { get, patch, post, remove } from '@/api/client';

export interface SavedView {
  id: string;
  name: string;
  path: string;
  shared: boolean;
  own: boolean;
  owner: string;
  position: number;
}

const id = encodeURIComponent;

export const viewsRead = () => queryOptions({ queryKey: ['views'], queryFn: () => get<SavedView[]>('/views'), staleTime: 30_000, retry: false });
export const addView = (name: string, path: string, shared = false) => post<SavedView>('/views', { name, path, shared });
export const changeView = (view: string, change: Partial<Pick<SavedView, 'name' | 'shared' | 'position'>>) => patch(`/views/${id(view)}`, change);
export const removeView = (view: string) => remove(`/views/${id(view)}`);

/** Where one is, as a view keeps it: without what only this screen wants. */
export function placeNow(): string {
  const { pathname, search } = window.location;
  const query = new URLSearchParams(search);
  query.delete('wall');
  const text = query.toString();
  return text === '' ? pathname : `${pathname}?${text}`;
}

/** What the page calls itself. */
export const titleNow = (): string => document.title.replace(/ · Sereno$/, '').slice(0, 80);

/** An address of this console, shown on a wall. */
export const onWall = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}wall=1`;
