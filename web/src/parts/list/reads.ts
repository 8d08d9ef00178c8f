// What a list reads: its description, a page, and how often values come.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { get, query } from '@/api/client';
import type { Field } from './query';

export interface ListPage<T> {
  items: T[];
  next: string | null;
  total: number | null;
  more_than_total: boolean;
}
interface Described {
  fields: Field[];
  sorts: { name: string }[];
}
export interface Facets {
  facets: { field: string; values: { value: string; count: number }[] }[];
  rows: number;
  age_ms: number;
}

const PAGE = 100;

/** `noun` is `incidents` or `findings`: the first word of the key, which facts invalidate. */
export const listReads = {
  fields: (noun: string) => queryOptions({ queryKey: [noun, 'fields'], queryFn: () => (noun === 'incidents' ? get<Described>('/incidents/fields') : get<Described>('/findings/fields')), staleTime: Infinity }),
  page: <T>(noun: string, q: string, sort: string) =>
    infiniteQueryOptions({
      queryKey: [noun, 'list', q, sort],
      queryFn: ({ pageParam }) => {
        const wanted = query({ q, sort, limit: PAGE, cursor: pageParam, count: pageParam ? undefined : 'true' });
        return noun === 'incidents' ? get<ListPage<T>>(`/incidents${wanted}`) : get<ListPage<T>>(`/findings${wanted}`);
      },
      initialPageParam: undefined as string | undefined,
      getNextPageParam: (last) => last.next ?? undefined,
      placeholderData: (previous) => previous,
      retry: false,
    }),
  facets: (noun: string, q: string, fields: string) =>
    queryOptions({ queryKey: [noun, 'facets', q, fields], queryFn: () => (noun === 'incidents' ? get<Facets>(`/incidents/facets${query({ q, fields })}`) : get<Facets>(`/findings/facets${query({ q, fields })}`)), placeholderData: (previous) => previous, retry: false }),
};
