import { post } from '@/api/client';
import type { Device, GatewayDetail, Order, Standing } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { bytes } from '@/parts/format';
import { Empty, Failed, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { spanText, useNow, Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { flowText } from './flow';
import { proofText } from './proof';
import { WhyText } from './why';
import './gateway.css';

interface StandingProps {
  gateway: GatewayDetail;
  orders: Order[];
  devices: Device[];
  /** Wall time (ms) at which the seconds left were read. */
  readAt: number;
}

/** What the kernel holds now: why, until when, what it caught, and how it is known to work. */
export function StandingPanel({ gateway, orders, devices, readAt }: StandingProps) {
  const may = useMay('gateway.order');
  const undo = useAct((key: string) => post(`/gateways/${encodeURIComponent(gateway.name)}/orders`, { verb: 'undo', order: key }), ['gateways', 'orders', 'ledger']);
  const nameOf = (target: string) => devices.find((one) => one.mac === target || one.addresses.includes(target))?.name;
  const byKey = new Map(orders.map((order) => [order.key, order]));
  const columns: Column<Standing>[] = [
    { id: 'verb', head: t('gw.col.order'), cell: (row) => <What row={row} name={nameOf(row.target)} flow={flowText(byKey.get(row.key)?.flow ?? null)} />, sort: (row) => `${row.verb} ${row.target}` },
    { id: 'why', head: t('gw.col.why'), cell: (row) => <Why row={row} order={byKey.get(row.key)} />, sort: (row) => row.why },
    { id: 'left', head: t('gw.col.left'), cell: (row) => <Left row={row} readAt={readAt} />, sort: (row) => row.left_s },
    { id: 'caught', head: t('gw.col.caught'), cell: (row) => <span className="nowrap">{tn('gw.packets', row.caught.packets)}<span className="small quiet" style={{ display: 'block' }}>{bytes(row.caught.bytes)}</span></span>, sort: (row) => row.caught.packets, right: true },
    ...(may ? [{ id: 'acts', head: '', cell: (row: Standing) => <Sure small text={t('gw.undo')} sure={t('gw.undo_sure')} of={`${word('gw.verb', row.verb)} ${row.target}`} busy={undo.isPending} onSure={() => undo.mutate(row.key)} /> }] : []),
  ];
  return (
    <Panel title={tn('gw.standing', gateway.standing.length)} flush>
      {undo.isError && <div style={{ padding: 12 }}><Failed error={undo.error} /></div>}
      {gateway.standing.length === 0 ? (
        <Empty title={t(gateway.connected ? 'gw.standing_none' : 'gw.standing_away')}>{t(gateway.connected ? 'gw.standing_none_why' : 'gw.standing_away_why')}</Empty>
      ) : (
        <DataTable rows={gateway.standing} columns={columns} caption={t('gw.in_force')} rowKey={(row) => row.key} />
      )}
    </Panel>
  );
}

function What({ row, name, flow }: { row: Standing; name: string | undefined; flow: string | null }) {
  return (
    <span className="order-cell">
      <b className="nowrap">{word('gw.verb', row.verb)}</b>
      {name && <span>{name}</span>}
      <span className="mono nowrap">{row.target}</span>
      {flow && <span className="small soft">{flow}</span>}
      {row.dry_run && <PlainTag tone="medium" shape="triangle">{t('gw.only_counts')}</PlainTag>}
    </span>
  );
}

function Why({ row, order }: { row: Standing; order: Order | undefined }) {
  const proof = order && proofText(order);
  return (
    <span className="order-why">
      <span><WhyText why={row.why} /></span>
      {order && <span className="small quiet">{order.requested_by} · <Wall at={order.requested_at} relative /></span>}
      {proof && <span className="small soft">{proof}</span>}
    </span>
  );
}

function Left({ row, readAt }: { row: Standing; readAt: number }) {
  const end = readAt + row.left_s * 1000;
  const left = Math.max(0, end - useNow());
  return (
    <span className="num">
      {left === 0 ? t('gw.ended') : spanText(left)}
      <span className="small quiet" style={{ display: 'block' }}>{t('gw.until')} <Wall at={new Date(end).toISOString()} /></span>
    </span>
  );
}
