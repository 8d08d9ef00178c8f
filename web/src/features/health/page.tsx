import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Component } from '@/api/types';
import { Empty, Loaded, PageView } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { ComponentTag } from '@/parts/tags';
import { Organisation } from '@/features/situation/organisation';
import { t, tn } from '@/strings/t';

const ORDER = { failed: 0, degraded: 1, absent: 2, ok: 3 };

const columns: Column<Component>[] = [
  { id: 'name', head: t('health.col.name'), cell: (row) => <b>{sentence(row.name)}</b>, sort: (row) => row.name },
  { id: 'state', head: t('health.col.state'), cell: (row) => <ComponentTag value={row.state} />, sort: (row) => ORDER[row.state] },
  { id: 'cause', head: t('health.col.cause'), cell: (row) => sentence(row.cause) || '–' },
  { id: 'remedy', head: t('health.col.remedy'), cell: (row) => row.remedy || '–' },
];

export function HealthPage() {
  const doctor = useQuery(reads.doctor());
  const node = useQuery(reads.node());
  const list = doctor.data?.components ?? [];
  const failed = list.filter((one) => one.state === 'failed').length;
  const degraded = list.filter((one) => one.state === 'degraded').length;
  const title = !doctor.data ? t('nav.health') : failed > 0 ? tn('health.title_failed', failed) : degraded > 0 ? tn('health.title_degraded', degraded) : t('health.title_ok');
  return (
    <PageView title={title} lead={<>{t('health.lead')} <code>sereno doctor</code>.</>}>
      <div className="stack wide">
      <section className="panel">
        <Loaded query={doctor}>
          {({ components }) =>
            components.length === 0 ? <Empty title={t('health.empty')} /> : (
              <DataTable rows={[...components].sort((a, b) => ORDER[a.state] - ORDER[b.state])} columns={columns} caption={t('nav.health')} rowKey={(row) => row.name} />
            )
          }
        </Loaded>
      </section>
      {node.data && <Organisation key={`${node.data.node.name} ${node.data.node.kind}`} info={node.data} />}
      </div>
    </PageView>
  );
}
