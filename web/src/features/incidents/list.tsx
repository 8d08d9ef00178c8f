import type { Incident } from '@/api/types';
import { List, useList, useTotal, type ListColumn } from '@/parts/list/list';
import { Empty, PageView } from '@/parts/page';
import { IncidentTag, SeverityTag, TlpTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';

export type IncidentRow = Incident & { owner: string | null; tags: string[] };

const USUAL = 'is:open';

const columns: ListColumn<IncidentRow>[] = [
  { id: 'title', head: t('incidents.col.title'), cell: (row) => row.title },
  { id: 'severity', head: t('incidents.col.severity'), cell: (row) => <SeverityTag value={row.severity} />, sort: 'severity', filter: (row) => ['severity', row.severity] },
  { id: 'state', head: t('incidents.col.state'), cell: (row) => <IncidentTag value={row.state} />, filter: (row) => ['state', row.state] },
  { id: 'owner', head: t('incident_list.owner'), cell: (row) => row.owner ?? <span className="quiet">{t('incidents.unanswered')}</span>, filter: (row) => ['owner', row.owner ?? 'none'] },
  { id: 'tags', head: t('incident_list.tags'), cell: (row) => row.tags.join(', '), extra: true },
  { id: 'origin', head: t('incidents.col.origin'), cell: (row) => row.origin_name, filter: (row) => ['origin', row.origin_name], extra: true },
  { id: 'tlp', head: t('incidents.col.tlp'), cell: (row) => <TlpTag value={row.tlp} />, filter: (row) => ['tlp', row.tlp.replace('TLP:', '').toLowerCase()] },
  { id: 'findings', head: t('incidents.col.findings'), cell: (row) => row.findings, sort: 'findings', right: true },
  { id: 'event', head: t('incidents.col.event'), cell: (row) => <Packet at={row.event_at} />, sort: 'happened' },
  { id: 'known', head: t('incidents.col.known'), cell: (row) => <Wall at={row.recorded_at} relative />, sort: 'opened' },
  { id: 'updated', head: t('incident_list.updated'), cell: (row) => <Wall at={row.updated_at} relative />, sort: 'updated', extra: true },
  { id: 'answered', head: t('incidents.col.answered'), cell: (row) => row.acknowledged_by ?? <span className="quiet">{t('incidents.unanswered')}</span>, filter: (row) => ['acknowledged_by', row.acknowledged_by ?? 'none'] },
];

const shown = (field: string, value: string) => (field === 'state' ? word('incident.state', value) : field === 'severity' ? word('severity', value) : value === 'none' ? t('incidents.unanswered') : value);

export function IncidentList() {
  const { q, sort } = useList('incidents', USUAL);
  const total = useTotal('incidents', q, sort);
  return (
    <PageView title={total ? tn(q === USUAL ? 'incident_list.open' : 'incident_list.found', total.total, { n: `${total.total.toLocaleString('en')}${total.more ? '+' : ''}` }) : t('nav.incidents')} lead={t('incidents.lead')}>
      <List<IncidentRow>
        noun="incidents"
        columns={columns}
        caption={t('nav.incidents')}
        door={(row) => ({ to: '/incidents/$id', params: { id: row.id } })}
        facets={['state', 'severity', 'owner']}
        facetWord={shown}
        usual={USUAL}
        empty={<Empty title={t('incidents.empty.all')}>{t('incidents.empty_why')}</Empty>}
      />
    </PageView>
  );
}
