import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { reads } from '@/api/queries';
import type { CounterPoint, ScorePoint, SourceState, Watched } from '@/api/types';
import { ScoreTable } from '@/parts/chart/score-table';
import { savePng, saveSvg } from '@/parts/chart/save';
import { TimeChart, type ChartMark } from '@/parts/chart/time-chart';
import { percent } from '@/parts/format';
import { Icon } from '@/parts/icon';
import { MenuButton, type MenuEntry } from '@/parts/menu';
import { Empty, Ghost, Loaded, Panel } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { utcText } from '@/parts/time';
import { t, tn } from '@/strings/t';
import { Replay } from './replay';
import { domainOf, type Zoom } from './domain';
import { progressOf } from './headline';
import type { SituationData } from './use-situation';

/** Live windows are coalesced; the whole history is read again this often. */
const REFRESH_MS = 15_000;
const BLOCK_REFRESH_MS = 3_000;

/** Score and traffic of one device over packet time. */
export function ScorePanel({ now }: { now: SituationData }) {
  const device = now.watched.find((one) => one.device === now.finding?.device) ?? now.watched[0];
  if (!device) {
    return <Panel title={t('chart.title')}><Empty title={t('chart.empty')}>{t('chart.empty_why')}</Empty></Panel>;
  }
  return <DeviceScores device={device} now={now} />;
}

function DeviceScores({ device, now }: { device: Watched; now: SituationData }) {
  const scores = useQuery(reads.scores(device.device));
  const { refetch } = scores;
  useEffect(() => {
    // Not the query's own interval: every live window would start it anew, and it would never end.
    const timer = window.setInterval(() => void refetch(), REFRESH_MS);
    return () => window.clearInterval(timer);
  }, [refetch]);
  const mac = now.finding?.device === device.device ? now.finding.device_mac : now.order?.target.mac;
  const epoch = now.source?.epoch ?? 0;
  const counters = useQuery({
    ...reads.counters(now.gateway?.name ?? '', mac ?? ''),
    enabled: Boolean(now.gateway && mac),
    // The reading that shows the block comes a moment after the order: ask until it is there.
    refetchInterval: (query) => (blockedAt(query.state.data?.points ?? [], epoch) === null ? BLOCK_REFRESH_MS : false),
  });
  const [form, setForm] = useState<'chart' | 'table'>('chart');
  const [zoom, setZoom] = useState<Zoom>('all');
  const svg = useRef<SVGSVGElement>(null);
  return (
    <Panel
      title={t('chart.title')}
      end={
        <>
          <Segments label={t('chart.zoom')} value={zoom} onChange={setZoom} options={[['all', t('chart.all')], ['6h', t('chart.6h')], ['1h', t('chart.1h')]]} />
          <Segments label={t('chart.form')} value={form} onChange={setForm} options={[['chart', t('chart.chart')], ['table', t('chart.table')]]} />
          <SaveMenu svg={svg} name={device.name} />
        </>
      }
    >
      <div className="stack">
        {now.gateway && now.source && <Replay gateway={now.gateway} source={now.source} />}
        <Loaded query={scores} ghost={<Ghost rows={9} height={24} />}>
          {({ points }) => {
            const domain = domainOf(points, now.source, zoom);
            if (points.length === 0 || !domain) {
              const share = percent(progressOf(device));
              return <Empty title={t('chart.learning')}>{device.state.state === 'watching' ? t('chart.no_windows') : t('chart.learning_why', { share })}</Empty>;
            }
            if (form === 'table') return <ScoreTable points={points} from={domain.from} to={domain.to} />;
            const marks = marksOf(now, blockedAt(counters.data?.points ?? [], epoch));
            return (
              <TimeChart
                svg={svg}
                points={points}
                from={domain.from}
                to={domain.to}
                learned={learnedOf(device, now.source)}
                head={now.source?.at ? Date.parse(now.source.at) : null}
                marks={marks}
                label={summary(device, points)}
              />
            );
          }}
        </Loaded>
      </div>
    </Panel>
  );
}

function SaveMenu({ svg, name }: { svg: React.RefObject<SVGSVGElement | null>; name: string }) {
  const entries: MenuEntry[] = [
    { key: 'svg', text: 'SVG', act: () => svg.current && saveSvg(svg.current, name) },
    { key: 'png', text: 'PNG', act: () => svg.current && void savePng(svg.current, name) },
  ];
  return <MenuButton wordless label={t('chart.save')} className="icon-button" trigger={<Icon name="download" size={14} />} entries={entries} width={110} />;
}

function learnedOf(device: Watched, source: SourceState | null): { from: number; to: number } | null {
  if (device.trained_from && device.trained_to) return { from: Date.parse(device.trained_from), to: Date.parse(device.trained_to) };
  if (device.state.state !== 'watching' && source?.start && source.at) return { from: Date.parse(source.start), to: Date.parse(source.at) };
  return null;
}

function marksOf(now: SituationData, blockedAt: string | null): ChartMark[] {
  const marks: ChartMark[] = [];
  if (now.finding) marks.push({ at: now.finding.first_at, kind: 'finding', label: t('chart.mark.finding') });
  if (blockedAt) marks.push({ at: blockedAt, kind: 'block', label: t('chart.mark.block') });
  return marks;
}

/** Packet time of the first reading under a block since the source's start (`epoch`, wall seconds); readings may come newest first. */
function blockedAt(points: CounterPoint[], epoch: number): string | null {
  const blocked = points.flatMap((point) => (point.blocked && Date.parse(point.at) >= epoch * 1000 ? [point.event_at] : []));
  return blocked.length === 0 ? null : blocked.reduce((first, at) => (at < first ? at : first));
}

function summary(device: Watched, points: ScorePoint[]): string {
  const alerts = points.filter((point) => point.alert).length;
  const first = points[0];
  const last = points.at(-1);
  return t('chart.summary', {
    name: device.name,
    from: first ? utcText(first.start) : '',
    to: last ? utcText(last.end) : '',
    windows: tn('count.windows', points.length),
    alerts: tn('count.above', alerts),
  });
}
