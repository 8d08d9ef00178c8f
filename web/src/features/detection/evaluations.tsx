import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Evaluation } from '@/api/types';
import { percent } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Loaded, PageView } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { DetectionTabs } from './tabs';

const columns: Column<Evaluation>[] = [
  { id: 'name', head: t('eval.col.name'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'goals', head: t('eval.col.goals'), cell: (row) => <Goals n={row.shortfalls} />, sort: (row) => row.shortfalls },
  { id: 'scenarios', head: t('eval.col.scenarios'), cell: (row) => <span title={row.scenarios.join(', ')}>{row.scenarios.length}</span>, sort: (row) => row.scenarios.length, right: true },
  { id: 'detectors', head: t('eval.col.detectors'), cell: (row) => row.detectors, sort: (row) => row.detectors, right: true },
  { id: 'seeds', head: t('eval.col.seeds'), cell: (row) => row.seeds, sort: (row) => row.seeds, right: true },
  { id: 'budget', head: t('device.budget'), cell: (row) => percent(row.alpha), sort: (row) => row.alpha, right: true },
  { id: 'program', head: t('eval.col.program'), cell: (row) => row.program, sort: (row) => row.program },
  { id: 'at', head: t('eval.col.at'), cell: (row) => <><Wall at={row.recorded_at} relative /> <span className="small quiet">{row.by}</span></>, sort: (row) => row.recorded_at },
];

export function Goals({ n }: { n: number }) {
  return n === 0 ? <PlainTag tone="good" shape="check">{t('eval.goals_held')}</PlainTag> : <PlainTag tone="medium" shape="triangle">{tn('eval.goals_missed', n)}</PlainTag>;
}

/** The reports of `sereno detect eval` that were handed to this node. */
export function EvaluationList() {
  const list = useQuery(reads.evaluations());
  return (
    <PageView title={list.data ? tn('eval.title', list.data.items.length) : t('nav.evaluations')} lead={t('eval.lead')}>
      <DetectionTabs />
      <section className="panel">
        <Loaded query={list}>
          {({ items }) =>
            items.length === 0 ? <Guide name="evaluations" title={t('eval.empty')} why={t('eval.empty_why')} /> : (
              <DataTable rows={items} columns={columns} caption={t('nav.evaluations')} rowKey={(row) => row.id} door={(row) => ({ to: '/evaluations/$id', params: { id: row.id } })} />
            )
          }
        </Loaded>
      </section>
    </PageView>
  );
}
