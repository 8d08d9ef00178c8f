import { Link } from '@tanstack/react-router';
import type { Watched } from '@/api/types';
import { useLive } from '@/app/store';
import { count, percent, times } from '@/parts/format';
import { Panel } from '@/parts/page';
import { PlainTag, WatchTag } from '@/parts/tags';
import { t, tn } from '@/strings/t';
import { progressOf } from './headline';
import type { SituationData } from './use-situation';
import { blockTime } from './block-time';
import { useNow } from '@/parts/time';

/** One watched device: its state in words, the newest figures, what became of its packets. */
export function DeviceCard({ device, now }: { device: Watched; now: SituationData }) {
  const learning = device.state.state === 'learning' || device.state.state === 'training';
  return (
    <Panel title={<Link to={`/devices/${device.device}`}>{device.name}</Link>} end={<WatchTag value={device.state.state} />}>
      <div className="device-card">
        {learning && <Progress device={device} />}
        {device.state.state === 'unprotected' && <p className="soft">{device.state.reason}</p>}
        <Figures device={device} now={now} />
        <Blocked now={now} />
        <p className="small quiet">{judgesLine(device)}</p>
      </div>
    </Panel>
  );
}

function Blocked({ now }: { now: SituationData }) {
  const all = useLive((live) => live.counters);
  const clock = useNow();
  const mac = now.order?.target.mac;
  if (!mac || !all[mac]?.blocked) return null;
  return <p style={{ marginBottom: 10 }}><PlainTag tone="critical" shape="slash">{blockTime(now.order, clock)}</PlainTag></p>;
}

function Progress({ device }: { device: Watched }) {
  const share = progressOf(device);
  const label = t(device.state.state === 'learning' ? 'device.learning' : 'device.training', { share: percent(share) });
  return (
    <div className="stack tight">
      <span className="small soft">{label}</span>
      <div className="meter" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
        <span style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

function Figures({ device, now }: { device: Watched; now: SituationData }) {
  const all = useLive((live) => live.counters);
  const mac = now.finding?.device === device.device ? now.finding.device_mac : now.order?.target.mac;
  const counters = (mac ? all[mac] : undefined) ?? (now.watched.length === 1 ? Object.values(all)[0] : undefined);
  const above = device.last_score !== null && device.last_score > device.threshold;
  return (
    <dl className="figures">
      <div className={`figure ${above ? 'alert' : ''}`}>
        <dt>{t('device.score')}</dt>
        <dd>{device.last_score === null ? '–' : times(device.last_score)} <small>{device.last_score !== null && t(above ? 'device.above' : 'device.below')}</small></dd>
      </div>
      <div className={`figure ${device.windows_alerting > 0 ? 'alert' : ''}`}>
        <dt>{t('device.alerting')}</dt>
        <dd>{count(device.windows_alerting)} <small>{t('device.of', { n: count(device.windows_scored) })}</small></dd>
      </div>
      <div className="figure">
        <dt>{t('device.forwarded')}</dt>
        <dd>{counters ? count(counters.forwarded_packets) : '–'} <small>{t('device.packets')}</small></dd>
      </div>
      <div className={`figure ${counters?.blocked ? 'cut' : ''}`}>
        <dt>{t('device.dropped')}</dt>
        <dd>{counters ? count(counters.dropped_packets) : '–'} <small>{t('device.packets')}</small></dd>
      </div>
    </dl>
  );
}

function judgesLine(device: Watched): string {
  const parts = [device.judges ? t('device.judges', { judges: device.judges }) : null];
  if (device.alpha !== null) parts.push(t('device.alpha', { share: percent(device.alpha) }));
  if (device.measured_false_rate !== null) parts.push(t('device.measured', { share: percent(device.measured_false_rate) }));
  return parts.filter(Boolean).join(' · ') || tn('device.no_model', device.windows_scored);
}
