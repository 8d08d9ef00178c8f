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
import { ButtonLink } from '@/parts/button';

export function OperatorHome({ info }: { info: NodeInfo }) {
  const now = useSituation(info);
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
        <Story now={now} />
        <div className="cols">
          <div className="stack wide">
            <Diagram now={now} />
            <ScorePanel now={now} />
          </div>
          <div className="stack wide">
            {now.watched.map((device) => <DeviceCard key={device.device} device={device} now={now} />)}
            <Feed />
          </div>
        </div>
        <Credit info={info} />
      </div>
    </PageView>
  );
}
