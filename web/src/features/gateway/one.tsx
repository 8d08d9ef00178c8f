import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { GatewayDetail } from '@/api/types';
import { useMay } from '@/app/session';
import { useLive } from '@/app/store';
import { Banner, Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { PlainTag, YesNo } from '@/parts/tags';
import { Wall } from '@/parts/time';
import { t, tn, word } from '@/strings/pages';
import { AllowLists } from './allow';
import { ByDevice, JudgingPart } from './by-device';
import { OrderForm } from './order-form';
import { OrderLine } from './orders';
import { ModeTag, PolicyHistory, PolicyPanel } from './policy';
import { StandingPanel } from './standing';
import { Balance } from './totals-panel';

const MAX_ORDERS = 20;

/** One gateway: what it does, what it holds, what it counted, and what it may be told. */
export function OneGatewayPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const gateway = useQuery(reads.gateway(name));
  const crumb = { to: '/gateways', text: t('nav.gateways') };
  if (!gateway.data) {
    return (
      <PageView title={name} crumb={crumb}>
        <section className="panel">{gateway.isError ? <div style={{ padding: 12 }}><Failed error={gateway.error} retry={gateway.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  return <Body gateway={gateway.data} readAt={gateway.dataUpdatedAt} />;
}

function titleOf({ name, connected, not_enforcing, policy, standing }: GatewayDetail): string {
  if (!connected) return t('gw.title_away', { name });
  if (not_enforcing || policy.mode !== 'enforce') return t('gw.title_mode', { name, mode: not_enforcing ? t('gw.title_not') : word('gw.title', policy.mode) });
  return tn('gw.title_enforces', standing.length, { name });
}

function Body({ gateway, readAt }: { gateway: GatewayDetail; readAt: number }) {
  const { list } = useSearch({ strict: false }) as { list?: string };
  const navigate = useNavigate();
  const orders = useQuery(reads.orders());
  const devices = useQuery(reads.devices());
  const may = useMay('gateway.order');
  const live = useLive((state) => state.totals[gateway.name]);
  const totals = gateway.connected ? (live ?? gateway.totals) : gateway.totals;
  const own = (orders.data ?? []).filter((order) => order.gateway === gateway.name);
  return (
    <PageView
      title={titleOf(gateway)}
      crumb={{ to: '/gateways', text: t('nav.gateways') }}
      lead={
        <span className="row">
          <YesNo yes={gateway.connected} word={t(gateway.connected ? 'gateways.connected' : 'gateways.away')} />
          <ModeTag mode={gateway.policy.mode} />
          <PlainTag tone="low" shape="bar">{word('gw.fail', gateway.policy.fail)}</PlainTag>
          <span className="small quiet">{t('gw.contact')} <Wall at={gateway.last_contact} relative /></span>
        </span>
      }
    >
      <div className="cols">
        <div className="stack wide">
          {gateway.not_enforcing && <Banner tone="critical" icon="block">{t('home.not_enforced')} {sentence(gateway.not_enforcing)}</Banner>}
          <StandingPanel gateway={gateway} orders={own} devices={devices.data ?? []} readAt={readAt} />
          <Panel title={t('gw.totals')} end={live && gateway.connected && <PlainTag tone="accent" shape="dot">{t('gw.live')}</PlainTag>}>
            {totals ? <Balance totals={totals} /> : <Empty title={t('gw.totals_none')}>{t('gw.totals_none_why')}</Empty>}
          </Panel>
          {gateway.connected && gateway.judging && <Panel title={t('gw.judging')}><JudgingPart judging={gateway.judging} /></Panel>}
          <Panel title={t('gw.by_device')}><ByDevice lines={gateway.devices} names={devices.data ?? []} /></Panel>
          {may && <OrderForm gateway={gateway} />}
          <AllowLists gateway={gateway.name} open={list} onOpen={(device) => void navigate({ to: '/gateways/$name', params: { name: gateway.name }, search: device ? { list: device } : {}, replace: true, resetScroll: false })} />
        </div>
        <div className="stack wide">
          {/* What is typed here stays while only lists change: they share the version. */}
          <PolicyPanel key={[gateway.policy.mode, gateway.policy.fail, ...gateway.policy.protect].join(' ')} gateway={gateway} />
          <Panel title={t('orders.title')}>
            <Loaded query={orders} ghost={<Ghost rows={3} />}>
              {() => (own.length === 0 ? <p className="small quiet">{t('orders.empty')}</p> : <ul className="stack">{own.slice(0, MAX_ORDERS).map((order) => <OrderLine key={order.key} order={order} />)}</ul>)}
            </Loaded>
          </Panel>
          <PolicyHistory name={gateway.name} />
        </div>
      </div>
    </PageView>
  );
}
