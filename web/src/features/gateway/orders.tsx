import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Device, Gateway, Order } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { count, figure } from '@/parts/format';
import { Banner, Failed, Ghost, Loaded, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t } from '@/strings/pages';
import { Button } from '@/parts/button';
import { flowText } from './flow';
import { proofText } from './proof';
import { WhyText } from './why';

const TIMEOUTS_S = [600, 3600, 86_400];

/** What the gateways were told about this device, whether it took effect, and blocking by hand. */
export function OrderPanel({ device }: { device: Device }) {
  const orders = useQuery(reads.orders());
  const gateways = useQuery(reads.gateways());
  const may = useMay('gateway.order');
  const own = (order: Order) => (device.mac !== null && order.target.mac === device.mac) || order.target.addresses.some((one) => device.addresses.includes(one));
  const gateway = gateways.data?.find((one) => one.connected);
  return (
    <Panel title={t('orders.title')}>
      <div className="stack">
        <Loaded query={orders} ghost={<Ghost rows={2} />}>
          {(list) => {
            const mine = list.filter(own);
            return mine.length === 0 ? <p className="small quiet">{t('orders.none')}</p> : <ul className="stack">{mine.slice(0, 6).map((order) => <OrderLine key={order.key} order={order} />)}</ul>;
          }}
        </Loaded>
        {gateway?.not_enforcing && <Banner tone="medium" icon="block">{t('home.not_enforced')} {gateway.not_enforcing}</Banner>}
        {may && gateway && device.mac && <ByHand device={device} gateway={gateway} />}
      </div>
    </Panel>
  );
}

export function OrderLine({ order }: { order: Order }) {
  const outcome = order.outcome;
  const proof = proofText(order);
  const tag =
    !outcome ? <PlainTag tone="medium" shape="dots">{t(`orders.state.${order.state}`)}</PlainTag>
    : outcome.outcome === 'done' ? <PlainTag tone="good" shape="check">{t('orders.done')}</PlainTag>
    : outcome.outcome === 'not_enforced' ? <PlainTag tone="medium" shape="triangle">{t('orders.not_enforced')}</PlainTag>
    : <PlainTag tone="critical" shape="cross">{t('orders.failed')}</PlainTag>;
  return (
    <li className="stack tight">
      <div className="row apart"><span className="strong">{t(`orders.${order.verb}`, { gateway: order.gateway })}</span>{tag}</div>
      <span className="small soft">{outcome ? (outcome.outcome === 'done' ? sentence(outcome.summary) : sentence(outcome.reason)) : t('orders.asked')}</span>
      {order.flow && <span className="small soft">{sentence(flowText(order.flow) ?? '')}</span>}
      {order.why && <span className="small soft">{t('gw.because')} <WhyText why={order.why} /></span>}
      {proof && <span className="small soft">{proof}</span>}
      {order.seen && (
        <span className="small soft num">
          {t('orders.seen', { before: count(order.seen.forwarded_before), after: count(order.seen.forwarded_after), dropped: count(order.seen.dropped_after) })}
        </span>
      )}
      <span className="small quiet">{order.requested_by} · <Wall at={order.requested_at} relative />{order.lifted_at ? <> · {t('orders.lifted')} <Wall at={order.lifted_at} relative /></> : order.lifts_at && <> · {t('orders.lifts')} <Wall at={order.lifts_at} relative /></>}</span>
    </li>
  );
}

function ByHand({ device, gateway }: { device: Device; gateway: Gateway }) {
  const [timeout, setTimeout] = useState(String(TIMEOUTS_S[1]));
  const [sure, setSure] = useState(false);
  const act = useAct(
    (verb: 'block' | 'release') => post(`/gateways/${encodeURIComponent(gateway.name)}/orders`, { verb, mac: device.mac, addresses: [], ...(verb === 'block' ? { timeout_s: Number(timeout) } : {}) }),
    ['orders', 'gateways', 'ledger'],
    () => setSure(false),
  );
  return (
    <div className="stack tight">
      <NativeSelect
        label={t('orders.by_hand')}
        value={timeout}
        onChange={(event) => setTimeout(event.currentTarget.value)}
        data={TIMEOUTS_S.map((seconds) => ({ value: String(seconds), label: t('orders.for', { n: figure(seconds >= 3600 ? seconds / 3600 : seconds / 60), unit: seconds >= 3600 ? 'h' : 'min' }) }))}
      />
      <div className="row">
        {sure ? (
          <Button small busy={act.isPending} onClick={() => act.mutate('block')}>{t('orders.block_sure', { name: device.name })}</Button>
        ) : (
          <Button small onClick={() => setSure(true)}>{t('orders.block_now')}</Button>
        )}
        <Button small plain onClick={() => act.mutate('release')}>{t('orders.release_now')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </div>
  );
}
