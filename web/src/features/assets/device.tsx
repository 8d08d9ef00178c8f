import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { reads } from '@/api/queries';
import type { Device, Watched } from '@/api/types';
import { OrderPanel } from '@/features/gateway/orders';
import { TimeChart } from '@/parts/chart/time-chart';
import { domainOf } from '@/features/situation/domain';
import { count, percent, times } from '@/parts/format';
import { Empty, Failed, Ghost, Loaded, PageView, Panel } from '@/parts/page';
import { sentence } from '@/parts/sentence';
import { SeverityTag, WatchTag } from '@/parts/tags';
import { Packet } from '@/parts/time';
import { Digest, Value } from '@/parts/value';
import { Describe } from './describe';
import { Inventory } from './inventory';
import { listed, madeUp, sureness } from './kinds';
import { t, tn, word } from '@/strings/pages';

export function DevicePage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const device = useQuery(reads.device(id));
  const watched = useQuery(reads.watched());
  const crumb = { to: '/devices', text: t('nav.devices') };
  if (!device.data) {
    return (
      <PageView title={t('device.one')} crumb={crumb}>
        <section className="panel">{device.isError ? <div style={{ padding: 12 }}><Failed error={device.error} retry={device.refetch} /></div> : <Ghost rows={8} />}</section>
      </PageView>
    );
  }
  const watch = watched.data?.find((one) => one.device === id);
  const state = watch ? word('watch.sentence', watch.state.state) : t('watch.sentence.none');
  return (
    <PageView title={t('device.title', { name: device.data.name, state })} crumb={crumb} lead={device.data.place ?? t('devices.no_place')}>
      <div className="cols">
        <div className="stack wide">
          <Scores device={device.data} watch={watch} />
          <Findings device={id} />
          <Inventory device={id} />
        </div>
        <div className="stack wide">
          <About device={device.data} watch={watch} />
          <Describe device={device.data} watched={watch !== undefined} />
          <OrderPanel device={device.data} />
        </div>
      </div>
    </PageView>
  );
}

function Scores({ device, watch }: { device: Device; watch: Watched | undefined }) {
  const scores = useQuery(reads.scores(device.id));
  return (
    <Panel title={t('chart.title')}>
      <Loaded query={scores} ghost={<Ghost rows={9} height={24} />}>
        {({ points }) => {
          const domain = domainOf(points, null, 'all');
          if (!domain) return <Empty title={t('chart.empty')}>{t('chart.empty_why')}</Empty>;
          const learned = watch?.trained_from && watch.trained_to ? { from: Date.parse(watch.trained_from), to: Date.parse(watch.trained_to) } : null;
          return <TimeChart points={points} from={Math.min(domain.from, learned?.from ?? domain.from)} to={domain.to} learned={learned} marks={[]} label={`${t('chart.title')}: ${device.name}`} />;
        }}
      </Loaded>
    </Panel>
  );
}

function Findings({ device }: { device: string }) {
  const findings = useQuery(reads.findings(device));
  return (
    <Panel title={t('nav.findings')} end={<Link to="/findings" search={{ device }} className="small">{t('device.all_findings')}</Link>}>
      <Loaded query={findings} ghost={<Ghost rows={2} />}>
        {({ items }) =>
          items.length === 0 ? <p className="quiet">{t('device.no_findings')}</p> : (
            <ul className="stack tight">
              {items.slice(0, 8).map((finding) => (
                <li key={finding.id} className="row">
                  <SeverityTag value={finding.severity} />
                  <Link to="/findings/$id" params={{ id: finding.id }} data-row>{finding.title}</Link>
                  <span className="small quiet num">{times(finding.score)} · {tn('count.windows', finding.windows)}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function About({ device, watch }: { device: Device; watch: Watched | undefined }) {
  return (
    <Panel title={t('device.about')} end={watch && <WatchTag value={watch.state.state} />}>
      <dl className="facts">
        {watch?.state.state === 'unprotected' && (<><dt>{t('device.why')}</dt><dd>{watch.state.reason}</dd></>)}
        {device.kind !== null && (<><dt>{t('devices.col.kind')}</dt><dd>{sentence(device.kind_words ?? word('device.kind', device.kind))} {device.kind !== 'unknown' && <span className="small quiet">{sureness(device.kind_confidence)}</span>}</dd></>)}
        {device.maker && (<><dt>{t('devices.col.maker')}</dt><dd>{device.maker}</dd></>)}
        {device.names.length > 0 && (<><dt>{t('inventory.names')}</dt><dd>{listed(device.names, 6)}</dd></>)}
        {device.protocols.length > 0 && (<><dt>{t('devices.col.protocols')}</dt><dd>{device.protocols.join(', ')}</dd></>)}
        {device.parts.length > 0 && (<><dt>{t('device.parts')}</dt><dd>{device.parts.map((part) => part.replaceAll('_', ' ')).join(', ')}</dd></>)}
        {device.site && (<><dt>{t('sites.of_device')}</dt><dd><Link to="/sites" search={{ site: device.site }}>{device.site_name}</Link></dd></>)}
        <dt>{t('devices.col.role')}</dt><dd>{word('device.role', device.role)}</dd>
        <dt>{t('devices.col.criticality')}</dt><dd><SeverityTag value={device.criticality} bare /></dd>
        {device.mac && (<><dt>{t('devices.col.mac')}</dt><dd><Value kind="mac" value={device.mac} />{madeUp(device.mac) && <div className="small quiet">{t('device.mac_made_up')}</div>}</dd></>)}
        <dt>{t('devices.col.address')}</dt>
        <dd>{device.addresses.length === 0 ? '–' : device.addresses.map((address) => <div key={address}><Value kind="address" value={address} /></div>)}</dd>
        <dt>{t('device.first_seen')}</dt><dd><Packet at={device.first_seen} /></dd>
        <dt>{t('devices.col.last')}</dt><dd><Packet at={device.last_seen} /></dd>
        {watch && (
          <>
            <dt>{t('models.protection')}</dt><dd>{sentence(watch.protection)}</dd>
            <dt>{t('finding.model')}</dt><dd><Link to="/models/$id" params={{ id: device.id }}>{watch.version > 0 ? t('models.version', { n: watch.version }) : t('models.none')}</Link></dd>
            <dt>{t('device.scored')}</dt><dd className="num">{t('device.scored_text', { scored: count(watch.windows_scored), alerting: count(watch.windows_alerting) })}</dd>
            {watch.judges && (<><dt>{t('device.judged_by')}</dt><dd>{sentence(watch.judges)}</dd></>)}
            {watch.alpha !== null && (<><dt>{t('device.budget')}</dt><dd className="num">{percent(watch.alpha)}</dd></>)}
            {watch.measured_false_rate !== null && (<><dt>{t('device.false_rate')}</dt><dd className="num">{percent(watch.measured_false_rate)}</dd></>)}
            {watch.model && (<><dt>{t('device.model_file')}</dt><dd><Digest value={watch.model} /></dd></>)}
          </>
        )}
      </dl>
    </Panel>
  );
}
