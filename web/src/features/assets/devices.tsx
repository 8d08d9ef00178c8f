import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { reads } from '@/api/queries';
import type { Device, Watched } from '@/api/types';
import { Guide } from '@/parts/empty';
import { Empty, Loaded, PageView } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, SeverityTag, WatchTag } from '@/parts/tags';
import { Packet } from '@/parts/time';
import { t, tn, word } from '@/strings/t';
import { KINDS, listed, madeUp, sureness } from './kinds';

type Row = Device & { watched: Watched | undefined };
const RANK = { low: 0, medium: 1, high: 2, critical: 3 };
const MOST_PROTOCOLS = 4;
const none = <span className="quiet">–</span>;

const columns: Column<Row>[] = [
  { id: 'name', head: t('devices.col.name'), cell: (row) => <Named device={row} />, sort: (row) => row.name },
  { id: 'kind', head: t('devices.col.kind'), cell: (row) => <Kind device={row} />, sort: (row) => row.kind ?? '' },
  { id: 'maker', head: t('devices.col.maker'), cell: (row) => row.maker ?? (row.mac && madeUp(row.mac) ? <span className="quiet">{t('devices.mac_made_up')}</span> : none), sort: (row) => row.maker ?? '' },
  { id: 'protocols', head: t('devices.col.protocols'), cell: (row) => (row.protocols.length === 0 ? none : <span title={row.protocols.join(', ')}>{listed(row.protocols, MOST_PROTOCOLS)}</span>), sort: (row) => row.protocols.length },
  { id: 'watch', head: t('devices.col.watch'), cell: (row) => (row.watched ? <WatchTag value={row.watched.state.state} /> : <PlainTag>{t('devices.unwatched')}</PlainTag>), sort: (row) => row.watched?.state.state ?? '' },
  { id: 'criticality', head: t('devices.col.criticality'), cell: (row) => <SeverityTag value={row.criticality} />, sort: (row) => RANK[row.criticality] },
  { id: 'address', head: t('devices.col.address'), cell: (row) => <span className="mono">{row.addresses[0] ?? '–'}</span>, sort: (row) => row.addresses[0] ?? '' },
  { id: 'last', head: t('devices.col.last'), cell: (row) => <Packet at={row.last_seen} />, sort: (row) => row.last_seen },
];

/** The name people use, and where the device stands: a column of its own would be empty for most. */
function Named({ device }: { device: Device }) {
  return <>{device.name}{(device.site_name || device.place) && <span className="small quiet" style={{ display: 'block', fontWeight: 400 }}>{[device.site_name, device.place].filter(Boolean).join(' · ')}</span>}</>;
}

/** The guessed kind with how sure the guess is: never a bare fact. */
function Kind({ device }: { device: Device }) {
  if (device.kind === null || device.kind === 'unknown') return <span className="quiet">{t('devices.kind_unknown')}</span>;
  return <>{sentence(device.kind_words ?? word('device.kind', device.kind))} <span className="small quiet nowrap">{sureness(device.kind_confidence)}</span></>;
}

export function DeviceList() {
  const search = useSearch({ strict: false }) as { kind?: string; q?: string };
  const navigate = useNavigate();
  const filtered = Boolean(search.kind || search.q);
  const devices = useQuery(filtered ? reads.devicesLike(search.kind, search.q) : reads.devices());
  const watched = useQuery(reads.watched());
  const rows = useMemo<Row[]>(() => {
    const byDevice = new Map(watched.data?.map((one) => [one.device, one]));
    return (devices.data ?? []).map((device) => ({ ...device, watched: byDevice.get(device.id) }));
  }, [devices.data, watched.data]);
  const watching = rows.filter((row) => row.watched?.state.state === 'watching').length;
  const go = (change: { kind?: string; q?: string }) => {
    const next = Object.fromEntries(Object.entries({ ...search, ...change }).filter(([, value]) => value !== ''));
    void navigate({ to: '/devices', search: next, replace: true });
  };
  return (
    <PageView
      title={devices.data ? tn(filtered ? 'devices.title_found' : 'devices.title', rows.length, { watching }) : t('nav.devices')}
      lead={t('devices.lead')}
      actions={
        <>
          <NativeSelect
            w={210}
            aria-label={t('devices.filter_kind')}
            value={search.kind ?? ''}
            onChange={(event) => go({ kind: event.currentTarget.value })}
            data={[{ value: '', label: t('devices.any_kind') }, ...KINDS.map((kind) => ({ value: kind, label: word('device.kind', kind) }))]}
          />
          <TextInput type="search" w={260} aria-label={t('devices.filter')} placeholder={t('devices.filter')} maxLength={100} value={search.q ?? ''} onChange={(event) => go({ q: event.currentTarget.value })} />
        </>
      }
    >
      <section className="panel">
        <Loaded query={devices}>
          {() =>
            rows.length === 0 ? (
              filtered ? <Empty title={t('devices.no_match')}>{t('devices.no_match_why')}</Empty> : <Guide name="devices" />
            ) : (
              <DataTable rows={rows} columns={columns} caption={t('nav.devices')} rowKey={(row) => row.id} door={(row) => ({ to: '/devices/$id', params: { id: row.id } })} />
            )
          }
        </Loaded>
      </section>
    </PageView>
  );
}
