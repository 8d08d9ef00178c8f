import { useNavigate, useSearch } from '@tanstack/react-router';
import type { Finding } from '@/api/types';
import { times } from '@/parts/format';
import { List, useList, useTotal, type ListColumn } from '@/parts/list/list';
import { Empty, PageView } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { SeverityTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { GroupTable } from './groups';
import { DetectionTabs } from './tabs';

type FindingRow = Finding & { verdict: string | null };

const columns: ListColumn<FindingRow>[] = [
  { id: 'title', head: t('findings.col.title'), cell: (row) => row.title },
  { id: 'severity', head: t('findings.col.severity'), cell: (row) => <SeverityTag value={row.severity} />, sort: 'severity', filter: (row) => ['severity', row.severity] },
  { id: 'kind', head: t('findings.col.kind'), cell: (row) => word('finding.kind', row.kind), filter: (row) => ['kind', row.kind] },
  { id: 'score', head: t('findings.col.score'), cell: (row) => times(row.score), sort: 'score', right: true },
  { id: 'windows', head: t('findings.col.windows'), cell: (row) => row.windows, sort: 'windows', right: true },
  { id: 'device', head: t('findings.col.device'), cell: (row) => row.device_name, filter: (row) => ['device_id', row.device] },
  { id: 'address', head: t('findings.col.address'), cell: (row) => <span className="mono">{row.device_address}</span>, filter: (row) => ['address', row.device_address], extra: true },
  { id: 'verdict', head: t('findings.col.verdict'), cell: (row) => (row.verdict ? word('findings.verdict', row.verdict) : <span className="quiet">{t('findings.verdict.none')}</span>), filter: (row) => ['verdict', row.verdict ?? 'none'] },
  { id: 'first', head: t('findings.col.first'), cell: (row) => <Packet at={row.first_at} />, sort: 'first' },
  { id: 'last', head: t('findings.col.last'), cell: (row) => <Packet at={row.last_at} />, sort: 'last', extra: true },
  { id: 'known', head: t('findings.col.known'), cell: (row) => <Wall at={row.recorded_at} relative />, sort: 'known' },
];

const shown = (field: string, value: string) => (field === 'kind' ? word('finding.kind', value) : field === 'severity' ? word('severity', value) : field === 'verdict' ? word('findings.verdict', value) : value);

export function FindingList() {
  const search = useSearch({ strict: false }) as { device?: string; q?: string; view?: string };
  const grouped = search.view === 'groups';
  const navigate = useNavigate();
  // An old link names its device beside the query; it becomes a term that can be turned off.
  const usual = search.device ? `device_id:${search.device}` : '';
  const { q, sort } = useList('findings', usual);
  const total = useTotal('findings', q, sort);
  return (
    <PageView
      title={total ? tn('findings.title', total.total, { n: `${total.total.toLocaleString('en')}${total.more ? '+' : ''}` }) : t('nav.findings')}
      lead={t('findings.lead')}
      actions={
        <Segments
          label={t('findings.view')}
          value={grouped ? 'groups' : 'list'}
          options={[['list', t('findings.list')], ['groups', t('findings.groups')]]}
          onChange={(view) => void navigate({ to: '/findings', search: view === 'groups' ? { ...search, view } : Object.fromEntries(Object.entries(search).filter(([name]) => name !== 'view')), replace: true })}
        />
      }
    >
      <DetectionTabs />
      {grouped ? (
        <section className="panel"><GroupTable device={search.device} /></section>
      ) : (
        <List<FindingRow>
          noun="findings"
          columns={columns}
          caption={t('nav.findings')}
          door={(row) => ({ to: '/findings/$id', params: { id: row.id } })}
          facets={['severity', 'kind', 'verdict']}
          facetWord={shown}
          usual={usual}
          empty={<Empty title={t('findings.empty')}>{t('findings.empty_why')}</Empty>}
        />
      )}
    </PageView>
  );
}
