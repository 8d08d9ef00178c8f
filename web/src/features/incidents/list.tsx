import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { Incident } from '@/api/types';
import { Empty, Loaded, PageView } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { DataTable, type Column } from '@/parts/table';
import { IncidentTag, SeverityTag, TlpTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { t } from '@/strings/t';
import { listTitle } from './words';

type Which = 'open' | 'closed' | 'all';
const RANK = { low: 0, medium: 1, high: 2, critical: 3 };

const columns: Column<Incident>[] = [
  { id: 'title', head: t('incidents.col.title'), cell: (row) => row.title, sort: (row) => row.title },
  { id: 'severity', head: t('incidents.col.severity'), cell: (row) => <SeverityTag value={row.severity} />, sort: (row) => RANK[row.severity] },
  { id: 'state', head: t('incidents.col.state'), cell: (row) => <IncidentTag value={row.state} />, sort: (row) => row.state },
  { id: 'origin', head: t('incidents.col.origin'), cell: (row) => row.origin_name, sort: (row) => row.origin_name },
  { id: 'tlp', head: t('incidents.col.tlp'), cell: (row) => <TlpTag value={row.tlp} />, sort: (row) => row.tlp },
  { id: 'findings', head: t('incidents.col.findings'), cell: (row) => row.findings, sort: (row) => row.findings, right: true },
  { id: 'event', head: t('incidents.col.event'), cell: (row) => <Packet at={row.event_at} />, sort: (row) => row.event_at },
  { id: 'known', head: t('incidents.col.known'), cell: (row) => <Wall at={row.recorded_at} relative />, sort: (row) => row.recorded_at },
  { id: 'answered', head: t('incidents.col.answered'), cell: (row) => row.acknowledged_by ?? <span className="quiet">{t('incidents.unanswered')}</span>, sort: (row) => row.acknowledged_by ?? '' },
];

export function IncidentList() {
  const search = useSearch({ strict: false }) as { state?: string };
  const navigate = useNavigate();
  const which: Which = search.state === 'closed' || search.state === 'all' ? search.state : 'open';
  const list = useQuery(reads.incidents(which));
  return (
    <PageView
      title={list.data ? listTitle(which, list.data.items) : t('nav.incidents')}
      lead={t('incidents.lead')}
      actions={
        <Segments<Which>
          label={t('incidents.which')}
          value={which}
          onChange={(state) => void navigate({ to: '/incidents', search: { state } })}
          options={[['open', t('incidents.open')], ['closed', t('incidents.closed')], ['all', t('incidents.all')]]}
        />
      }
    >
      <section className="panel">
        <Loaded query={list}>
          {({ items }) =>
            items.length === 0 ? (
              <Empty title={t(`incidents.empty.${which}`)}>{t('incidents.empty_why')}</Empty>
            ) : (
              <DataTable rows={items} columns={columns} caption={t('nav.incidents')} rowKey={(row) => row.id} door={(row) => ({ to: '/incidents/$id', params: { id: row.id } })} />
            )
          }
        </Loaded>
      </section>
    </PageView>
  );
}
