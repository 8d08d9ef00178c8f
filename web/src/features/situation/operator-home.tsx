import { lazy, Suspense } from 'react';
import type { NodeInfo } from '@/api/types';
import { Banner, Failed, Ghost, PageView } from '@/parts/page';
import { t } from '@/strings/t';
import { Credit } from './credit';
import { DeviceCard } from './device-card';
import { Diagram } from './diagram';
import { Feed } from './feed';
import { headline } from './headline';
import { ScorePanel } from './score-panel';
import { Story } from './story-strip';
import { useSituation } from './use-situation';
import { Checklist } from './checklist';
import { Changes, DevicesNow, OrdersNow, QuestionsNow, SitesNow, useNowRead } from './present';
import './situation.css';
import { ButtonLink } from '@/parts/button';

const Trend = lazy(() => import('./trend'));

export default function OperatorHome({ info }: { info: NodeInfo }) {
  const now = useSituation(info);
  const present = useNowRead();
  if (!now.loaded) {
    return (
      <PageView title={t('nav.situation')}>
        <section className="panel">{now.error ? <div style={{ padding: 12 }}><Failed error={now.error} retry={now.retry} /></div> : <Ghost rows={10} />}</section>
      </PageView>
    );
  }
  const head = headline({ kind: info.node.kind, incidents: now.open, watched: now.watched, gateways: now.gateways, strongest: now.finding, enforced: now.order?.verb === 'block' && now.order.outcome?.outcome === 'done' && !now.order.lifted_at });
  const notEnforcing = now.gateways.find((gateway) => gateway.not_enforcing !== null);
  const calling = now.open[0];
  return (
    <PageView
      title={head.title}
      lead={head.lead}
      actions={calling && (
        <ButtonLink to={`/incidents/${now.incident?.id ?? calling.id}`}>{t('home.open_incident')}</ButtonLink>
      )}
    >
      <div className="stack wide">
        {notEnforcing && (
          <Banner tone="medium" icon="block">
            <b>{t('home.not_enforced')}</b> {notEnforcing.not_enforcing}
          </Banner>
        )}
        {present.data && <Checklist now={present.data} />}
        {present.data && <Changes now={present.data} />}
        <Story now={now} />
        <div className="cols">
          <div className="stack wide">
            {present.data && <DevicesNow now={present.data} />}
            {present.data && <SitesNow now={present.data} />}
            <Diagram now={now} />
            <ScorePanel now={now} />
            <Suspense><Trend /></Suspense>
          </div>
          <div className="stack wide">
            {present.data && <QuestionsNow now={present.data} />}
            {present.data && <OrdersNow now={present.data} />}
            {now.watched.slice(0, 3).map((device) => <DeviceCard key={device.device} device={device} now={now} />)}
            <Feed />
          </div>
        </div>
        <Credit info={info} />
      </div>
    </PageView>
  );
}
