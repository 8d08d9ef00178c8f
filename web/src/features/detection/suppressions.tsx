import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Suppression } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count, times } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Failed, Loaded, PageView } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { DetectionTabs } from './tabs';

type Row = Suppression & { name: string };

const columns: Column<Row>[] = [
  { id: 'device', head: t('finding.device'), cell: (row) => <Link to="/devices/$id" params={{ id: row.device }} data-row className="strong">{row.name}</Link>, sort: (row) => row.name },
  { id: 'scope', head: t('suppressions.col.scope'), cell: (row) => <>{sentence(row.scope)}{row.finding && <div className="small"><Link to="/findings/$id" params={{ id: row.finding }}>{t('suppressions.from_finding')}</Link></div>}</>, sort: (row) => row.scope },
  { id: 'state', head: t('versions.col.state'), cell: (row) => <State row={row} />, sort: (row) => (row.active ? 0 : 1) },
  { id: 'until', head: t('suppressions.col.until'), cell: (row) => (row.until ? <Wall at={row.until} /> : t('suppressions.until_revoked')), sort: (row) => row.until ?? '9999' },
  { id: 'ceiling', head: t('suppressions.col.ceiling'), cell: (row) => times(row.ceiling), sort: (row) => row.ceiling, right: true },
  { id: 'hits', head: t('suppressions.col.hits'), cell: (row) => <>{count(row.hits)}{row.last_hit_at && <div className="small quiet nowrap">{t('suppressions.last_hit')} <Wall at={row.last_hit_at} relative /></div>}</>, sort: (row) => row.hits, right: true },
  { id: 'why', head: t('suppressions.col.why'), cell: (row) => <>{row.reason}<div className="small quiet">{row.author} · <Wall at={row.created_at} relative /></div></>, sort: (row) => row.created_at },
  { id: 'revoke', head: '', cell: (row) => row.active && <Revoke one={row} /> },
];

function State({ row }: { row: Row }) {
  if (row.revoked_at) return <><PlainTag shape="bar">{t('suppressions.revoked')}</PlainTag><div className="small quiet">{row.revoked_by}</div></>;
  return row.active ? <PlainTag tone="accent" shape="dot">{t('suppressions.holds')}</PlainTag> : <PlainTag shape="bar">{t('suppressions.over')}</PlainTag>;
}

function Revoke({ one }: { one: Suppression }) {
  const may = useMay('detection.feedback');
  const [sure, setSure] = useState(false);
  const act = useAct(() => remove(`/detection/suppressions/${one.id}`), ['detection', 'findings', 'ledger'], () => setSure(false));
  if (!may) return null;
  return (
    <>
      <Button small plain={!sure} busy={act.isPending} onBlur={() => setSure(false)} onClick={() => (sure ? act.mutate() : setSure(true))}>{t(sure ? 'suppressions.sure' : 'suppressions.revoke')}</Button>
      {act.isError && <Failed error={act.error} />}
    </>
  );
}

/** What people called normal: each with who said so, until when, and what it has hidden since. */
export function SuppressionList() {
  const search = useSearch({ strict: false }) as { all?: string };
  const navigate = useNavigate();
  const all = search.all === 'yes';
  const list = useQuery(reads.suppressions(all));
  const devices = useQuery(reads.devices());
  const names = new Map(devices.data?.map((one) => [one.id, one.name]));
  const rows: Row[] = (list.data?.items ?? []).map((one) => ({ ...one, name: names.get(one.device) ?? one.device.slice(0, 8) }));
  return (
    <PageView
      title={list.data ? tn(all ? 'suppressions.title_all' : 'suppressions.title', rows.length) : t('nav.suppressions')}
      lead={t('suppressions.lead')}
      actions={
        <Segments
          label={t('suppressions.which')}
          value={all ? 'yes' : 'no'}
          options={[['no', t('suppressions.active')], ['yes', t('suppressions.all')]]}
          onChange={(value) => void navigate({ to: '/suppressions', search: value === 'yes' ? { all: 'yes' } : {}, replace: true })}
        />
      }
    >
      <DetectionTabs />
      <section className="panel">
        <Loaded query={list}>
          {() => rows.length === 0 ? <Guide name="suppressions" title={t('suppressions.empty')} why={t('suppressions.empty_why')} /> : <DataTable rows={rows} columns={columns} caption={t('nav.suppressions')} rowKey={(row) => row.id} />}
        </Loaded>
      </section>
    </PageView>
  );
}
