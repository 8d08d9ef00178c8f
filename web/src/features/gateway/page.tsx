import { useQuery } from '@tanstack/react-query';
import { reads } from '@/api/queries';
import type { Gateway } from '@/api/types';
import { count } from '@/parts/format';
import { Guide } from '@/parts/empty';
import { Empty, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag, YesNo } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn } from '@/strings/pages';
import { OrderLine } from './orders';

const columns: Column<Gateway>[] = [
  { id: 'name', head: t('gateways.col.name'), cell: (row) => <span className="nowrap">{row.name}</span>, sort: (row) => row.name },
  { id: 'connected', head: t('gateways.col.connected'), cell: (row) => <YesNo yes={row.connected} word={t(row.connected ? 'gateways.connected' : 'gateways.away')} />, sort: (row) => String(row.connected) },
  {
    id: 'enforcing',
    head: t('gateways.col.enforcing'),
    cell: (row) => (row.not_enforcing === null ? <PlainTag tone="good" shape="check">{t('gateways.enforces')}</PlainTag> : <><PlainTag tone="medium" shape="triangle">{t('orders.not_enforced')}</PlainTag><div className="small soft">{sentence(row.not_enforcing)}</div></>),
    sort: (row) => row.not_enforcing ?? '',
  },
  { id: 'source', head: t('gateways.col.source'), cell: (row) => (row.source.source === 'live' ? sentence(t('gateways.live', { name: row.source.interface })) : sentence(t(row.source.through_gateway ? 'gateways.replay' : 'gateways.file', { name: row.source.capture }))) },
  { id: 'dropped', head: t('gateways.col.missed'), cell: (row) => count(row.capture_dropped), sort: (row) => row.capture_dropped, right: true },
  { id: 'contact', head: t('peers.col.contact'), cell: (row) => <Wall at={row.last_contact} relative />, sort: (row) => row.last_contact },
];

/** The gateways, and everything they were told. */
export function GatewayPage() {
  const gateways = useQuery(reads.gateways());
  const orders = useQuery(reads.orders());
  const connected = gateways.data?.filter((one) => one.connected).length ?? 0;
  return (
    <PageView title={gateways.data ? tn('gateways.title', gateways.data.length, { connected }) : t('nav.gateways')} lead={t('gateways.lead')}>
      <div className="stack wide">
        <section className="panel">
          <Loaded query={gateways}>
            {(list) => (list.length === 0 ? <Guide name="gateways" title={t('gateways.empty')} why={t('home.nothing_lead')} /> : <DataTable rows={list} columns={columns} caption={t('nav.gateways')} rowKey={(row) => row.name} door={(row) => ({ to: '/gateways/$name', params: { name: row.name } })} />)}
          </Loaded>
        </section>
        <Panel title={t('orders.title')}>
          <Loaded query={orders}>
            {(list) => (list.length === 0 ? <Empty title={t('orders.empty')}>{t('orders.empty_why')}</Empty> : <ul className="stack">{list.map((order) => <OrderLine key={order.key} order={order} />)}</ul>)}
          </Loaded>
        </Panel>
      </div>
    </PageView>
  );
}
