import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { MachineModel } from '@/api/types';
import { count } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Loaded, PageView } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { WatchTag } from '@/parts/tags';
import { t, tn } from '@/strings/pages';
import { DetectionTabs } from '../tabs';
import { LawList } from './laws';

const columns: Column<MachineModel>[] = [
  { id: 'edge', head: t('commands.col.edge'), cell: (row) => row.edge, sort: (row) => row.edge },
  { id: 'state', head: t('versions.col.state'), cell: (row) => <WatchTag value={row.state.state} />, sort: (row) => row.state.state },
  { id: 'protection', head: t('models.protection'), cell: (row) => sentence(row.protection), sort: (row) => row.protection },
  { id: 'version', head: t('models.col.version'), cell: (row) => (row.version > 0 ? row.version : '–'), sort: (row) => row.version, right: true },
  { id: 'pairs', head: t('commands.col.pairs'), cell: (row) => count(row.pairs), sort: (row) => row.pairs, right: true },
  { id: 'operations', head: t('commands.col.operations'), cell: (row) => count(row.operations), sort: (row) => row.operations, right: true },
  { id: 'judged', head: t('commands.col.judged'), cell: (row) => count(row.judged), sort: (row) => row.judged, right: true },
  { id: 'unusual', head: t('commands.col.unusual'), cell: (row) => count(row.unusual), sort: (row) => row.unusual, right: true },
];

/** Every edge that tells of commands, and whether somebody judges them. */
export function MachineList() {
  const machines = useQuery(reads.machines());
  const rows = machines.data;
  const open = rows?.filter((one) => one.state.state !== 'watching').length ?? 0;
  const title = !rows ? t('nav.commands') : rows.length === 0 ? t('commands.title_none') : open > 0 ? tn('commands.title_open', open) : tn('commands.title', rows.length);
  return (
    <PageView title={title} lead={t('commands.lead')}>
      <DetectionTabs />
      <div className="stack wide">
        <section className="panel">
          <Loaded query={machines}>
            {(all) =>
              all.length === 0 ? <Guide name="commands" title={t('commands.empty')} why={t('commands.empty_why')} /> : (
                <DataTable rows={all} columns={columns} caption={t('nav.commands')} rowKey={(row) => row.edge} door={(row) => ({ to: '/commands/$edge', params: { edge: row.edge } })} />
              )
            }
          </Loaded>
        </section>
        <LawList />
      </div>
    </PageView>
  );
}
