import { Autocomplete } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { query } from '@/api/client';
import { reads } from '@/api/queries';
import type { IntelFound, IntelItem } from '@/api/types';
import { useMay } from '@/app/session';
import { Button, ButtonLink } from '@/parts/button';
import { count } from '@/parts/format';
import { Empty, Failed, Ghost, PageView } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, TlpTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { AsKnown, keeping } from './past';
import { ScoreNow } from './standing';
import './knowledge.css';

const columns: Column<IntelItem>[] = [
  { id: 'name', head: t('know.col.name'), cell: (row) => <Named item={row} />, sort: (row) => row.name },
  { id: 'type', head: t('know.col.type'), cell: (row) => word('stix', row.type), sort: (row) => row.type },
  { id: 'tlp', head: t('know.col.tlp'), cell: (row) => <TlpTag value={row.tlp} />, sort: (row) => row.tlp },
  { id: 'source', head: t('know.col.source'), cell: (row) => row.source, sort: (row) => row.source },
  { id: 'confidence', head: t('know.col.confidence'), cell: (row) => row.confidence ?? '–', sort: (row) => row.confidence ?? -1, right: true },
  { id: 'score', head: t('know.col.score'), cell: (row) => <ScoreNow item={row} />, sort: (row) => row.score_now ?? -1, right: true },
  { id: 'known', head: t('know.col.known'), cell: (row) => <Wall at={row.known_at} relative />, sort: (row) => row.known_at },
];

function Named({ item }: { item: IntelItem }) {
  return (
    <>
      {item.name || <span className="quiet">{item.id}</span>}
      {item.revoked && <> <PlainTag>{t('know.revoked')}</PlainTag></>}
    </>
  );
}

/** Everything that is known, by the query language; the query stands in the address bar. */
export function KnowledgePage() {
  const { q = '', at = '' } = useSearch({ strict: false }) as { q?: string; at?: string };
  const found = useInfiniteQuery(reads.intelObjects(q, at));
  const first = found.data?.pages[0];
  const rows = found.data?.pages.flatMap((page) => page.items) ?? [];
  const total = first?.total ?? 0;
  const may = useMay('knowledge.import');
  const title = first ? tn(q === '' ? 'know.title' : 'know.found', total, { n: `${count(total)}${first.more_than_total ? '+' : ''}` }) : t('nav.knowledge');
  return (
    <PageView
      title={title}
      lead={<>{t('know.lead')}<AsKnown at={at} now={{ to: '/knowledge', search: keeping('', q) }} /></>}
      actions={
        <>
          <Link to="/knowledge/rules" className="button plain">{t('rules.open')}</Link>
          <Link to="/knowledge/report" className="button plain">{t('report.open')}</Link>
          <a className="button plain" href={`/api/v1/intel/export${query({ q, at })}`} download>{t('know.export')}</a>
          {may && <ButtonLink to="/knowledge/import">{t('know.import')}</ButtonLink>}
        </>
      }
    >
      <div className="stack wide">
        <section className="panel"><div className="body"><QueryBar q={q} at={at} /></div></section>
        {first && first.by_type.length > 0 && <Types found={first} q={q} at={at} />}
        <section className="panel">
          {found.isError && !found.data ? (
            <div style={{ padding: 12 }}><Failed error={found.error} retry={found.refetch} /></div>
          ) : found.data === undefined ? (
            <Ghost rows={6} />
          ) : rows.length === 0 ? (
            <Empty title={t(q === '' ? 'know.empty' : 'know.nothing')}>{t(q === '' ? 'know.empty_why' : 'know.nothing_why')}</Empty>
          ) : (
            <>
              <DataTable rows={rows} columns={columns} caption={t('nav.knowledge')} rowKey={(row) => row.id} door={(row) => ({ to: '/knowledge/$id', params: { id: row.id }, search: keeping(at) })} />
              {found.isError && <div style={{ padding: 12 }}><Failed error={found.error} retry={found.isFetchNextPageError ? found.fetchNextPage : found.refetch} /></div>}
              {found.hasNextPage && (
                <div className="more-rows"><Button plain onClick={() => void found.fetchNextPage()} disabled={found.isFetchingNextPage}>{t('know.more')}</Button></div>
              )}
            </>
          )}
        </section>
      </div>
    </PageView>
  );
}

/** The query with what could come next. */
function QueryBar({ q, at }: { q: string; at: string }) {
  const [typed, setTyped] = useState(q);
  const navigate = useNavigate();
  useEffect(() => setTyped(q), [q]);
  const offers = useQuery(reads.intelComplete(typed));
  const whole = (offers.data ?? []).map((offer) => [...typed].slice(0, offer.from).join('') + offer.text);
  const hint = offers.data?.[0]?.hint;
  return (
    <form
      className="query-bar"
      onSubmit={(event) => {
        event.preventDefault();
        void navigate({ to: '/knowledge', search: keeping(at, typed.trim()) });
      }}
    >
      <Autocomplete
        label={t('know.query')}
        description={hint ?? t('know.query_help')}
        placeholder="type:malware tlp<=green known>-7d botnet"
        maxLength={4096}
        value={typed}
        onChange={setTyped}
        data={[...new Set(whole)]}
        filter={({ options }) => options}
        styles={{ input: { fontFamily: 'var(--mono)' } }}
      />
      <Button type="submit">{t('know.ask')}</Button>
    </form>
  );
}

/** How many of each type: each a door to the list of just those; the brackets keep an OR of the query together. */
function Types({ found, q, at }: { found: IntelFound; q: string; at: string }) {
  return (
    <nav className="types" aria-label={t('know.types')}>
      {found.by_type.map((one) => (
        <Link key={one.type} to="/knowledge" search={keeping(at, q === '' ? `type:${one.type}` : `(${q}) type:${one.type}`)}>
          {word('stix', one.type)} <b>{count(one.count)}</b>
        </Link>
      ))}
    </nav>
  );
}
