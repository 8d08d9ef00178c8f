// One list for all: query, counts as doors, columns, order, further rows, the list as a file. All of it stands in the
// address bar, so that a link shows what its sender saw.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, type ReactNode } from 'react';
import { ApiError, query as params } from '@/api/client';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { MenuButton, type MenuEntry } from '@/parts/menu';
import { Empty, Failed, Ghost } from '@/parts/page';
import type { Door } from '@/parts/table';
import { copy } from '@/parts/value';
import { t, tn, word } from '@/strings/pages';
import { QueryBar } from './query-bar';
import { term, withTerm } from './query';
import { listReads, type ListPage } from './reads';
import './list.css';

export interface ListColumn<T> {
  id: string;
  head: string;
  cell: (row: T) => ReactNode;
  /** The order of the node that this column stands for. */
  sort?: string;
  right?: boolean;
  /** Shown only when chosen. */
  extra?: boolean;
  /** The field and the value that this cell filters by. */
  filter?: (row: T) => readonly [field: string, value: string] | undefined;
}

interface ListProps<T> {
  noun: 'incidents' | 'findings';
  columns: ListColumn<T>[];
  caption: string;
  door: (row: T) => Door;
  /** Fields whose values are counted beside the list. */
  facets: string[];
  /** Shown for a facet's value; the word itself when absent. */
  facetWord?: (field: string, value: string) => string;
  /** The query of a list that nobody has asked anything yet. */
  usual: string;
  empty: ReactNode;
}

export interface ListSearch {
  q?: string;
  sort?: string;
  cols?: string;
}

/** What the address bar says of a list, and the way to change it. */
export function useList(noun: string, usual: string) {
  const search = useSearch({ strict: false }) as ListSearch & Record<string, string>;
  const navigate = useNavigate();
  const go = (change: ListSearch) => void navigate({ to: `/${noun}`, search: { ...search, ...change }, replace: true });
  // `q=*` in the address stands for everything: an empty one for the usual question.
  const q = search.q === undefined ? usual : search.q === '*' ? '' : search.q;
  return { q, sort: search.sort ?? '', cols: search.cols, go, ask: (text: string) => go({ q: text === '' ? '*' : text }) };
}

/** The first page's count, for titles: undefined until it is known. */
export function useTotal(noun: string, q: string, sort: string): { total: number; more: boolean } | undefined {
  const list = useInfiniteQuery(listReads.page<object>(noun, q, sort));
  const first = list.data?.pages[0];
  return first && first.total !== null ? { total: first.total, more: first.more_than_total } : undefined;
}

export function List<T extends { id: string }>({ noun, columns, caption, door, facets, facetWord, usual, empty }: ListProps<T>) {
  const { q, sort, cols, go, ask } = useList(noun, usual);
  const list = useInfiniteQuery(listReads.page<T>(noun, q, sort));
  const pages: ListPage<T>[] = list.data?.pages ?? [];
  const rows = pages.flatMap((page) => page.items);
  const first = pages[0];
  const chosen = cols?.split(',');
  const shown = columns.filter((column, index) => index === 0 || (chosen ? chosen.includes(column.id) : !column.extra));
  const wrongQuery = list.error instanceof ApiError && list.error.problem.status === 400;
  const choose = (id: string) => {
    const now = shown.map((column) => column.id);
    const next = columns.map((column) => column.id).filter((one) => (one === id ? !now.includes(id) : now.includes(one)));
    go({ cols: next.join(',') });
  };
  const order = (name: string) => go({ sort: sort === `-${name}` ? name : `-${name}` });
  return (
    <div className="stack">
      <section className="panel list-head" aria-label={t('list.query')}>
        <QueryBar noun={noun} query={q} onQuery={ask} error={list.error} />
        <FacetRow noun={noun} q={q} fields={facets} wordOf={facetWord} ask={ask} off={wrongQuery} />
      </section>
      <section className="panel">
        <header>
          <h2>{first?.total != null ? tn('list.rows', first.total, { n: `${count(first.total)}${first.more_than_total ? '+' : ''}` }) : caption}</h2>
          <div className="end">
            <MenuButton label={t('list.columns')} trigger={t('list.columns')} className="button plain-look small-look" entries={columns.slice(1).map((column): MenuEntry => ({ key: column.id, text: column.head, checked: shown.includes(column), stays: true, act: () => choose(column.id) }))} />
            <ExportMenu noun={noun} q={q} sort={sort} />
          </div>
        </header>
        {list.isError && rows.length === 0 ? (
          !wrongQuery && <div style={{ padding: 12 }}><Failed error={list.error} retry={list.refetch} /></div>
        ) : list.data === undefined ? (
          <Ghost rows={8} />
        ) : rows.length === 0 ? (
          q === '' ? empty : <Empty title={t('list.nothing')} action={<Button plain onClick={() => ask('')}>{t('list.clear')}</Button>}>{t('list.nothing_why')}</Empty>
        ) : (
          <div className="scroll" aria-busy={list.isFetching}>
            <table className="data list">
              <caption className="hidden-text">{caption}</caption>
              <thead>
                <tr>
                  {shown.map((column) => (
                    <Head key={column.id} column={column} sort={sort} order={order} />
                  ))}
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <Row key={row.id} row={row} columns={shown} door={door(row)} q={q} ask={ask} />
                ))}
              </tbody>
            </table>
            {list.hasNextPage && <More more={() => void list.fetchNextPage()} busy={list.isFetchingNextPage} />}
          </div>
        )}
      </section>
    </div>
  );
}

function Head<T>({ column, sort, order }: { column: ListColumn<T>; sort: string; order: (name: string) => void }) {
  const way = column.sort && sort === column.sort ? 'ascending' : column.sort && sort === `-${column.sort}` ? 'descending' : undefined;
  return (
    <th scope="col" className={column.right ? 'right' : ''} aria-sort={way}>
      {column.sort ? (
        <button type="button" onClick={() => column.sort && order(column.sort)}>
          {column.head}
          <span aria-hidden="true">{way === 'ascending' ? '↑' : way === 'descending' ? '↓' : ''}</span>
        </button>
      ) : (
        column.head
      )}
    </th>
  );
}

interface RowProps<T> {
  row: T;
  columns: ListColumn<T>[];
  door: Door;
  q: string;
  ask: (query: string) => void;
}

function Row<T>({ row, columns, door, q, ask }: RowProps<T>) {
  return (
    <tr
      className="door"
      onClick={(event) => {
        // The whole row is a door; its own links, buttons and selected text stay what they are.
        const target = event.target as HTMLElement;
        if (target.closest('a, button, input') || window.getSelection()?.toString()) return;
        event.currentTarget.querySelector<HTMLAnchorElement>('a[data-row]')?.click();
      }}
    >
      {columns.map((column, index) => {
        const filter = column.filter?.(row);
        return (
          <td key={column.id} className={column.right ? 'right' : ''}>
            {index === 0 ? (
              <Link to={door.to} params={door.params ?? {}} search={door.search ?? {}} data-row className="strong">{column.cell(row)}</Link>
            ) : filter ? (
              <Pivot field={filter[0]} value={filter[1]} q={q} ask={ask}>{column.cell(row)}</Pivot>
            ) : (
              column.cell(row)
            )}
          </td>
        );
      })}
    </tr>
  );
}

/** A value of a list: show only these, leave these out, copy. */
function Pivot({ field, value, q, ask, children }: { field: string; value: string; q: string; ask: (query: string) => void; children: ReactNode }) {
  const wanted = term(field, value);
  return (
    <MenuButton
      label={t('value.menu', { value })}
      trigger={children}
      className="value list-value"
      entries={[
        { key: 'value', label: <span className="mono">{wanted}</span> },
        { key: 'in', icon: 'check', text: t('list.only'), act: () => ask(withTerm(q, wanted, false)) },
        { key: 'out', icon: 'cross', text: t('list.leave_out'), act: () => ask(withTerm(q, wanted, true)) },
        { key: 'copy', icon: 'copy', text: t('value.copy'), act: () => void copy(value) },
      ]}
    />
  );
}

const SHOWN_VALUES = 6;

/** How often the values of a few fields come, each a door to the list of just those. */
function FacetRow({ noun, q, fields, wordOf, ask, off }: { noun: string; q: string; fields: string[]; wordOf: ListProps<object>['facetWord']; ask: (query: string) => void; off: boolean }) {
  const facets = useQuery({ ...listReads.facets(noun, q, fields.join(',')), enabled: !off });
  if (off || !facets.data) return null;
  return (
    <div className="list-facets">
      {facets.data.facets.filter((facet) => facet.values.length > 0).map((facet) => (
        <div key={facet.field} role="group" aria-label={word('list.field', facet.field)}>
          <span className="quiet small">{word('list.field', facet.field)}</span>
          {facet.values.slice(0, SHOWN_VALUES).map((one) => (
            <button key={one.value} type="button" onClick={() => ask(withTerm(q, term(facet.field, one.value), false))}>
              {wordOf?.(facet.field, one.value) ?? one.value} <b className="num">{count(one.count)}</b>
            </button>
          ))}
          {facet.values.length > SHOWN_VALUES && <span className="quiet small">+{facet.values.length - SHOWN_VALUES}</span>}
        </div>
      ))}
      <span className="quiet small">{t('list.facets_of', { rows: count(facets.data.rows) })}</span>
    </div>
  );
}

function ExportMenu({ noun, q, sort }: { noun: string; q: string; sort: string }) {
  const fetchFile = (format: string, bom?: string) => window.location.assign(`/api/v1/${noun}/export${params({ q, sort, format, bom })}`);
  return (
    <MenuButton
      label={t('list.export')}
      trigger={t('list.export')}
      className="button plain-look small-look"
      entries={[
        { key: 'csv', icon: 'download', text: t('list.csv'), act: () => fetchFile('csv') },
        { key: 'bom', icon: 'download', text: t('list.csv_bom'), act: () => fetchFile('csv', 'true') },
        { key: 'jsonl', icon: 'download', text: t('list.jsonl'), act: () => fetchFile('jsonl') },
      ]}
    />
  );
}

/** Further rows come when the end of the list comes into view; a button for those who walk by keyboard. */
function More({ more, busy }: { more: () => void; busy: boolean }) {
  const end = useRef<HTMLDivElement>(null);
  const latest = useRef(more);
  latest.current = more;
  useEffect(() => {
    const element = end.current;
    if (!element) return;
    const watch = new IntersectionObserver((seen) => seen[0]?.isIntersecting && latest.current(), { rootMargin: '400px' });
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return <div ref={end} className="list-more"><Button plain busy={busy} onClick={more}>{t('list.more')}</Button></div>;
}
