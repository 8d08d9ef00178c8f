// What GOOSE publishers and MMS associations keep to, per edge: the list below that of commands.
import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { LawModel } from '@/api/types';
import { count } from '@/parts/format';
import { Empty, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { WatchTag } from '@/parts/tags';
import { t, word } from '@/strings/pages';

const columns: Column<LawModel>[] = [
  { id: 'edge', head: t('commands.col.edge'), cell: (row) => row.edge, sort: (row) => row.edge },
  { id: 'protocol', head: t('laws.protocol'), cell: (row) => word('laws.name', row.protocol), sort: (row) => row.protocol },
  { id: 'state', head: t('versions.col.state'), cell: (row) => <WatchTag value={row.state.state} />, sort: (row) => row.state.state },
  { id: 'protection', head: t('models.protection'), cell: (row) => sentence(row.protection), sort: (row) => row.protection },
  { id: 'version', head: t('models.col.version'), cell: (row) => (row.version > 0 ? row.version : '–'), sort: (row) => row.version, right: true },
  { id: 'known', head: t('laws.known'), cell: (row) => count(row.known), sort: (row) => row.known, right: true },
  { id: 'judged', head: t('commands.col.judged'), cell: (row) => count(row.judged), sort: (row) => row.judged, right: true },
  { id: 'unusual', head: t('laws.unusual'), cell: (row) => count(row.unusual), sort: (row) => row.unusual, right: true },
];

export function LawList() {
  const laws = useQuery(reads.laws());
  return (
    <Panel title={t('laws.title')} flush>
      <Loaded query={laws}>
        {(all) =>
          all.length === 0 ? <Empty title={t('laws.empty')}>{t('laws.empty_why')}</Empty> : (
            <DataTable rows={all} columns={columns} caption={t('laws.title')} rowKey={(row) => `${row.edge}/${row.protocol}`} door={(row) => ({ to: '/laws/$edge/$protocol', params: { edge: row.edge, protocol: row.protocol } })} />
          )
        }
      </Loaded>
    </Panel>
  );
}
