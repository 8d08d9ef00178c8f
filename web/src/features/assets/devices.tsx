import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { reads } from '@/api/queries';
import type { Device, Watched } from '@/api/types';
import { times } from '@/parts/format';
import { Empty, Loaded, PageView } from '@/parts/page';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, SeverityTag, WatchTag } from '@/parts/tags';
import { Packet } from '@/parts/time';
import { t, tn, word } from '@/strings/t';

type Row = Device & { watched: Watched | undefined };
const RANK = { low: 0, medium: 1, high: 2, critical: 3 };

const columns: Column<Row>[] = [
  { id: 'name', head: t('devices.col.name'), cell: (row) => row.name, sort: (row) => row.name },
  { id: 'place', head: t('devices.col.place'), cell: (row) => row.place ?? <span className="quiet">{t('devices.no_place')}</span>, sort: (row) => row.place ?? '' },
  { id: 'watch', head: t('devices.col.watch'), cell: (row) => (row.watched ? <WatchTag value={row.watched.state.state} /> : <PlainTag>{t('devices.unwatched')}</PlainTag>), sort: (row) => row.watched?.state.state ?? '' },
  { id: 'score', head: t('devices.col.score'), cell: (row) => (row.watched?.last_score == null ? '–' : times(row.watched.last_score)), sort: (row) => row.watched?.last_score ?? -1, right: true },
  { id: 'role', head: t('devices.col.role'), cell: (row) => word('device.role', row.role), sort: (row) => row.role },
  { id: 'criticality', head: t('devices.col.criticality'), cell: (row) => <SeverityTag value={row.criticality} />, sort: (row) => RANK[row.criticality] },
  { id: 'address', head: t('devices.col.address'), cell: (row) => <span className="mono">{row.addresses[0] ?? '–'}</span>, sort: (row) => row.addresses[0] ?? '' },
  { id: 'mac', head: t('devices.col.mac'), cell: (row) => <span className="mono">{row.mac ?? '–'}</span>, sort: (row) => row.mac ?? '' },
  { id: 'last', head: t('devices.col.last'), cell: (row) => <Packet at={row.last_seen} />, sort: (row) => row.last_seen },
];

export function DeviceList() {
  const devices = useQuery(reads.devices());
  const watched = useQuery(reads.watched());
  const rows = useMemo<Row[]>(() => {
    const byDevice = new Map(watched.data?.map((one) => [one.device, one]));
    return (devices.data ?? []).map((device) => ({ ...device, watched: byDevice.get(device.id) }));
  }, [devices.data, watched.data]);
  const watching = watched.data?.filter((one) => one.state.state === 'watching').length ?? 0;
  return (
    <PageView title={devices.data ? tn('devices.title', rows.length, { watching }) : t('nav.devices')} lead={t('devices.lead')}>
      <section className="panel">
        <Loaded query={devices}>
          {() =>
            rows.length === 0 ? (
              <Empty title={t('devices.empty')}>{t('devices.empty_why')}</Empty>
            ) : (
              <DataTable rows={rows} columns={columns} caption={t('nav.devices')} rowKey={(row) => row.id} door={(row) => ({ to: '/devices/$id', params: { id: row.id } })} />
            )
          }
        </Loaded>
      </section>
    </PageView>
  );
}
