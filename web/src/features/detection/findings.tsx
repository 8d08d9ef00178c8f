import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { TextInput } from '@mantine/core';
import { reads } from '@/api/queries';
import type { Finding } from '@/api/types';
import { times } from '@/parts/format';
import { Empty, Loaded, PageView } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { SeverityTag } from '@/parts/tags';
import { Packet, Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/t';
import { Segments } from '@/parts/segments';
import { GroupTable } from './groups';
import { matching } from './match';
import { DetectionTabs } from './tabs';

const RANK = { low: 0, medium: 1, high: 2, critical: 3 };

const columns: Column<Finding>[] = [
  { id: 'title', head: t('findings.col.title'), cell: (row) => row.title, sort: (row) => row.title },
  { id: 'severity', head: t('findings.col.severity'), cell: (row) => <SeverityTag value={row.severity} />, sort: (row) => RANK[row.severity] },
  { id: 'kind', head: t('findings.col.kind'), cell: (row) => word('finding.kind', row.kind), sort: (row) => row.kind },
  { id: 'score', head: t('findings.col.score'), cell: (row) => times(row.score), sort: (row) => row.score, right: true },
  { id: 'windows', head: t('findings.col.windows'), cell: (row) => row.windows, sort: (row) => row.windows, right: true },
  { id: 'device', head: t('findings.col.device'), cell: (row) => row.device_name, sort: (row) => row.device_name },
  { id: 'first', head: t('findings.col.first'), cell: (row) => <Packet at={row.first_at} />, sort: (row) => row.first_at },
  { id: 'known', head: t('findings.col.known'), cell: (row) => <Wall at={row.recorded_at} relative />, sort: (row) => row.recorded_at },
];

export function FindingList() {
  const search = useSearch({ strict: false }) as { device?: string; q?: string; view?: string };
  const grouped = search.view === 'groups';
  const navigate = useNavigate();
  const list = useQuery(reads.findings(search.device));
  const shown = matching(list.data?.items ?? [], search.q ?? '');
  return (
    <PageView
      title={list.data ? tn('findings.title', shown.length) : t('nav.findings')}
      lead={t('findings.lead')}
      actions={
        <>
        <Segments
          label={t('findings.view')}
          value={grouped ? 'groups' : 'list'}
          options={[['list', t('findings.list')], ['groups', t('findings.groups')]]}
          onChange={(view) => void navigate({ to: '/findings', search: view === 'groups' ? { ...search, view } : Object.fromEntries(Object.entries(search).filter(([name]) => name !== 'view')), replace: true })}
        />
        {!grouped && <TextInput
          type="search"
          w={260}
          aria-label={t('findings.filter')}
          placeholder={t('findings.filter')}
          value={search.q ?? ''}
          onChange={(event) => void navigate({ to: '/findings', search: { ...search, q: event.currentTarget.value }, replace: true })}
        />}
        </>
      }
    >
      <DetectionTabs />
      <section className="panel">
        {grouped ? <GroupTable device={search.device} /> : <Loaded query={list}>
          {() =>
            shown.length === 0 ? (
              <Empty title={t(search.q ? 'findings.no_match' : 'findings.empty')}>{t(search.q ? 'findings.no_match_why' : 'findings.empty_why')}</Empty>
            ) : (
              <DataTable rows={shown} columns={columns} caption={t('nav.findings')} rowKey={(row) => row.id} door={(row) => ({ to: '/findings/$id', params: { id: row.id } })} />
            )
          }
        </Loaded>}
      </section>
    </PageView>
  );
}
