import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Watched } from '@/api/types';
import { count, percent } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Loaded, PageView } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, WatchTag } from '@/parts/tags';
import { t, tn } from '@/strings/pages';
import { DetectionTabs } from './tabs';

const columns: Column<Watched>[] = [
  { id: 'name', head: t('devices.col.name'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'state', head: t('devices.col.watch'), cell: (row) => <WatchTag value={row.state.state} />, sort: (row) => row.state.state },
  { id: 'protection', head: t('models.protection'), cell: (row) => sentence(row.protection), sort: (row) => row.protection },
  { id: 'learning', head: t('models.learning'), cell: (row) => <Learning one={row} />, sort: (row) => row.learning.state },
  { id: 'version', head: t('models.col.version'), cell: (row) => (row.version > 0 ? row.version : '–'), sort: (row) => row.version, right: true },
  { id: 'scored', head: t('models.col.scored'), cell: (row) => count(row.windows_scored), sort: (row) => row.windows_scored, right: true },
  { id: 'rate', head: t('models.col.alerting'), cell: (row) => (row.windows_scored > 0 ? percent(row.windows_alerting / row.windows_scored) : '–'), sort: (row) => (row.windows_scored > 0 ? row.windows_alerting / row.windows_scored : -1), right: true },
];

/** What it goes on learning, and what stands in the way. */
export function Learning({ one }: { one: Watched }) {
  const { learning } = one;
  if (learning.held) return <PlainTag tone="medium" shape="bar">{t('models.held')}</PlainTag>;
  if (learning.drifting) return <PlainTag tone="medium" shape="triangle">{t('models.drifting')}</PlainTag>;
  return <span className="soft">{sentence(learning.state)}</span>;
}

/** Every device with a model, or on the way to one: what protects it now. */
export function ModelList() {
  const watched = useQuery(reads.watched());
  const open = watched.data?.filter((one) => one.state.state === 'unprotected').length ?? 0;
  return (
    <PageView
      title={watched.data ? (open > 0 ? tn('models.title_open', open) : tn('models.title', watched.data.length)) : t('nav.models')}
      lead={t('models.lead')}
    >
      <DetectionTabs />
      <section className="panel">
        <Loaded query={watched}>
          {(rows) =>
            rows.length === 0 ? <Guide name="models" title={t('models.empty')} why={t('models.empty_why')} /> : (
              <DataTable rows={rows} columns={columns} caption={t('nav.models')} rowKey={(row) => row.device} door={(row) => ({ to: '/models/$id', params: { id: row.device } })} />
            )
          }
        </Loaded>
      </section>
    </PageView>
  );
}
