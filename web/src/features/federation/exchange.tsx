import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { FederationLink, ObjectRetraction, ObjectShare } from '@/api/types';
import { ButtonLink } from '@/parts/button';
import { count } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Empty, Loaded, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { Counts } from './state';

const links: Column<FederationLink>[] = [
  { id: 'name', head: t('fed.col.peer'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'way', head: t('fed.col.way'), cell: (row) => word('fed.way', row.way), sort: (row) => row.way },
  {
    id: 'state',
    head: t('fed.col.state'),
    cell: (row) => (
      <>
        {row.last_error ? <PlainTag tone="high" shape="triangle">{t('fed.away')}</PlainTag> : row.last_contact ? <PlainTag tone="good" shape="check">{t('fed.reached')}</PlainTag> : <PlainTag>{t('fed.never')}</PlainTag>}
        {row.last_error && <span className="small soft" style={{ display: 'block' }}>{row.last_error}</span>}
        {row.refused > 0 && <span className="small soft" style={{ display: 'block' }}>{tn('fed.refused', row.refused)}{row.last_refusal && `: ${row.last_refusal}`}</span>}
      </>
    ),
    sort: (row) => row.last_error ?? '',
  },
  { id: 'waiting', head: t('fed.col.waiting'), cell: (row) => count(row.queued + row.under_way), sort: (row) => row.queued + row.under_way, right: true },
  { id: 'out', head: t('fed.col.out'), cell: (row) => count(row.out_seq), sort: (row) => row.out_seq, right: true },
  { id: 'in', head: t('fed.col.in'), cell: (row) => count(row.in_seq), sort: (row) => row.in_seq, right: true },
  { id: 'contact', head: t('fed.col.contact'), cell: (row) => (row.last_contact ? <Wall at={row.last_contact} relative /> : '–'), sort: (row) => row.last_contact ?? '' },
];

const shares: Column<ObjectShare>[] = [
  { id: 'at', head: t('fed.col.at'), cell: (row) => <Wall at={row.recorded_at} relative />, sort: (row) => row.recorded_at },
  { id: 'by', head: t('fed.col.by'), cell: (row) => <>{row.made_by} <span className="quiet">({word('fed.kind', row.kind)})</span></>, sort: (row) => row.made_by },
  { id: 'note', head: t('fed.col.note'), cell: (row) => row.note || '–', sort: (row) => row.note },
  { id: 'counts', head: t('fed.col.stands'), cell: (row) => <Counts counts={row.counts} /> },
];

const retractions: Column<ObjectRetraction>[] = [
  { id: 'at', head: t('fed.col.at'), cell: (row) => <Wall at={row.recorded_at} relative />, sort: (row) => row.recorded_at },
  { id: 'by', head: t('fed.col.by'), cell: (row) => row.made_by, sort: (row) => row.made_by },
  { id: 'reason', head: t('fed.col.reason'), cell: (row) => row.reason, sort: (row) => row.reason },
  { id: 'counts', head: t('fed.col.stands'), cell: (row) => <Counts counts={row.counts} /> },
];

/** The exchange of intelligence between nodes: the lines, what was handed out, what was taken back. */
export function ExchangePage() {
  const line = useQuery(reads.federationLinks());
  const shared = useQuery(reads.objectShares());
  const taken = useQuery(reads.objectRetractions());
  const away = line.data?.filter((one) => one.last_error).length ?? 0;
  return (
    <PageView
      title={line.data ? (away > 0 ? tn('fed.away_title', away, { all: line.data.length }) : tn('fed.title', line.data.length)) : t('nav.exchange')}
      lead={t('fed.lead')}
      actions={<ButtonLink to="/preview">{t('fed.preview')}</ButtonLink>}
    >
      <div className="stack wide">
        <Panel title={t('fed.links')} flush>
          <Loaded query={line}>{(all) => (all.length === 0 ? <Guide name="links" title={t('fed.no_links')} why={t('fed.no_links_why')} /> : <DataTable rows={all} columns={links} caption={t('fed.links')} rowKey={(row) => row.peer} />)}</Loaded>
        </Panel>
        <Panel title={t('fed.shares')} flush>
          <Loaded query={shared}>{(all) => (all.length === 0 ? <Guide name="exchange" title={t('fed.no_shares')} why={t('fed.no_shares_why')} /> : <DataTable rows={all} columns={shares} caption={t('fed.shares')} rowKey={(row) => row.id} door={(row) => ({ to: '/exchange/$id', params: { id: row.id } })} />)}</Loaded>
        </Panel>
        <Panel title={t('fed.retractions')} flush>
          <Loaded query={taken}>{(all) => (all.length === 0 ? <Empty title={t('fed.no_retractions')} /> : <DataTable rows={all} columns={retractions} caption={t('fed.retractions')} rowKey={(row) => row.id} door={(row) => ({ to: '/retractions/$id', params: { id: row.id } })} />)}</Loaded>
        </Panel>
      </div>
    </PageView>
  );
}
