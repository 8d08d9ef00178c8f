import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { ObjectRetraction } from '@/api/types';
import { count } from '@/parts/format';
import { Empty, Failed, Ghost, PageView, Panel } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { HandTag } from './state';

type Told = NonNullable<ObjectRetraction['objects']>[number];
type Behind = NonNullable<ObjectRetraction['behind']>[number];

const told: Column<Told>[] = [
  { id: 'object', head: t('fed.col.object'), cell: (row) => <code className="wrap">{row.object}</code>, sort: (row) => row.object },
  { id: 'peer', head: t('fed.col.peer'), cell: (row) => row.peer_name || <span className="quiet">{row.peer}</span>, sort: (row) => row.peer_name },
  { id: 'state', head: t('fed.col.state'), cell: (row) => <HandTag state={row.state} />, sort: (row) => row.state },
  { id: 'changed', head: t('fed.col.changed'), cell: (row) => <Wall at={row.changed_at} relative />, sort: (row) => row.changed_at },
];
const behind: Column<Behind>[] = [
  { id: 'peer', head: t('fed.col.peer'), cell: (row) => row.peer_name || <span className="quiet">{row.peer}</span>, sort: (row) => row.peer_name },
  { id: 'reached', head: t('fed.col.reached'), cell: (row) => count(row.reached), sort: (row) => row.reached, right: true },
  { id: 'acknowledged', head: t('fed.col.acknowledged'), cell: (row) => count(row.acknowledged), sort: (row) => row.acknowledged, right: true },
];

/** A retraction: who has acknowledged it, and how far it went behind them. */
export function RetractionPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const one = useQuery(reads.objectRetraction(id));
  const it = one.data;
  const list = it?.objects ?? [];
  const open = list.filter((row) => row.state === 'waiting').length;
  return (
    <PageView title={it ? (open > 0 ? tn('fed.retraction_open', open, { all: list.length }) : t('fed.retraction_done')) : t('fed.retractions')} crumb={{ to: '/exchange', text: t('nav.exchange') }} lead={it && `${it.made_by}: ${it.reason}`}>
      {one.isError && <Failed error={one.error} retry={one.refetch} />}
      <div className="stack wide">
        {it ? (
          <>
            <Panel title={t('fed.told')} flush>{list.length === 0 ? <Empty title={t('fed.told_nobody')} /> : <DataTable rows={list} columns={told} caption={t('fed.told')} rowKey={(row) => `${row.peer} ${row.object}`} />}</Panel>
            <Panel title={t('fed.behind')} flush>{(it.behind ?? []).length === 0 ? <Empty title={t('fed.behind_nobody')} /> : <DataTable rows={it.behind ?? []} columns={behind} caption={t('fed.behind')} rowKey={(row) => row.peer} />}</Panel>
          </>
        ) : !one.isError && <section className="panel"><Ghost rows={4} /></section>}
      </div>
    </PageView>
  );
}
