import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { FindingGroup } from '@/api/types';
import { Empty, Loaded } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { SeverityTag } from '@/parts/tags';
import { Packet } from '@/parts/time';
import { Value } from '@/parts/value';
import { t, word } from '@/strings/pages';

const RANK = { low: 0, medium: 1, high: 2, critical: 3 };

const columns: Column<FindingGroup>[] = [
  { id: 'title', head: t('groups.col.group'), cell: (row) => row.title, sort: (row) => row.title },
  { id: 'findings', head: t('groups.col.findings'), cell: (row) => <Members group={row} />, sort: (row) => row.findings, right: true },
  { id: 'severity', head: t('findings.col.severity'), cell: (row) => <SeverityTag value={row.severity} />, sort: (row) => RANK[row.severity] },
  { id: 'kind', head: t('findings.col.kind'), cell: (row) => word('finding.kind', row.kind), sort: (row) => row.kind },
  { id: 'device', head: t('findings.col.device'), cell: (row) => <Link to="/devices/$id" params={{ id: row.device }}>{row.device_name}</Link>, sort: (row) => row.device_name },
  { id: 'peer', head: t('groups.col.peer'), cell: (row) => (row.peer ? <Value kind="address" value={row.peer} /> : <span className="quiet">{t('groups.several')}</span>), sort: (row) => row.peer ?? '' },
  { id: 'technique', head: t('groups.col.technique'), cell: (row) => (row.technique ? <Value kind="technique" value={row.technique}><code>{row.technique}</code></Value> : '–'), sort: (row) => row.technique ?? '' },
  { id: 'first', head: t('findings.col.first'), cell: (row) => <Packet at={row.first_at} />, sort: (row) => row.first_at },
  { id: 'last', head: t('groups.col.last'), cell: (row) => <Packet at={row.last_at} />, sort: (row) => row.last_at },
];

const SHOWN = 5;

function Members({ group }: { group: FindingGroup }) {
  if (group.findings === 1) return <>1</>;
  return (
    <details>
      <summary>{group.findings}</summary>
      <ol className="small">
        {group.finding_ids.slice(0, SHOWN).map((id, index) => <li key={id}><Link to="/findings/$id" params={{ id }}>{t('groups.finding', { n: index + 1 })}</Link></li>)}
      </ol>
      <Link className="small nowrap" to="/findings" search={{ device: group.device }}>{t('groups.all')}</Link>
    </details>
  );
}

/** Findings of one device, remote party and technique, near in time: one line each. */
export function GroupTable({ device }: { device: string | undefined }) {
  const groups = useQuery(reads.groups(device));
  return (
    <Loaded query={groups}>
      {({ items }) =>
        items.length === 0 ? <Empty title={t('groups.empty')}>{t('groups.empty_why')}</Empty> : (
          <DataTable rows={items} columns={columns} caption={t('findings.groups')} rowKey={(row) => row.id} door={(row) => ({ to: '/findings/$id', params: { id: row.finding_ids.at(-1) ?? '' } })} />
        )
      }
    </Loaded>
  );
}
