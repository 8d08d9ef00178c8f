// Figures of a period: every bar is a door to the list it counts.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { situationReads, type Count, type Figures, type Took } from '@/api/situation-reads';
import { Chart, type Door } from '@/parts/chart/echart';
import { Loaded, PageView } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { t, tn, word } from '@/strings/pages';
import { after, daysBack, nextDay } from './period';
import '@/parts/native.css';

const LEVELS = ['low', 'medium', 'high', 'critical'] as const;
const SPANS = ['7', '30', '90', '365'] as const;

interface Search {
  days?: string;
  from?: string;
  to?: string;
}

export function FiguresPage() {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const days = SPANS.find((one) => one === search.days) ?? '30';
  const own = search.from !== undefined || search.to !== undefined;
  const from = own ? search.from : daysBack(Number(days));
  const figures = useQuery(situationReads.figures(from, search.to));
  const go = (next: Search) => void navigate({ to: '/figures', search: Object.fromEntries(Object.entries(next).filter(([, value]) => value)) });
  const total = figures.data?.findings.reduce((sum, day) => sum + day.low + day.medium + day.high + day.critical, 0) ?? 0;
  const incidents = figures.data?.states.reduce((sum, one) => sum + one.n, 0) ?? 0;
  return (
    <PageView
      title={figures.data ? t('figures.title', { findings: tn('tally.findings', total), incidents: tn('tally.incidents', incidents) }) : t('nav.figures')}
      lead={figures.data && t('figures.lead', { from: figures.data.from, to: figures.data.to })}
      actions={
        <>
          <Segments label={t('figures.period')} value={own ? '' : days} options={SPANS.map((one) => [one, tn('time.days', Number(one))] as const)} onChange={(next) => go({ days: next })} />
          <label className="small">{t('figures.from')} <input className="native" type="date" value={figures.data?.from ?? ''} onChange={(event) => go({ from: event.currentTarget.value, to: search.to ?? '' })} /></label>
          <label className="small">{t('figures.to')} <input className="native" type="date" value={figures.data?.to ?? ''} onChange={(event) => go({ from: figures.data?.from ?? '', to: event.currentTarget.value })} /></label>
        </>
      }
    >
      <Loaded query={figures}>{(data) => <Charts data={data} open={(door) => void navigate({ to: door.to, search: door.search })} />}</Loaded>
    </PageView>
  );
}

function Charts({ data, open }: { data: Figures; open: (door: Door) => void }) {
  const period = `opened>=${data.from} opened<${nextDay(data.to)}`;
  const seen = `known>=${data.from} known<${nextDay(data.to)}`;
  const list = (counts: Count[], name: (item: string) => string) => ({ labels: counts.map((one) => name(one.item)), values: counts.map((one) => one.n) });
  const states = list(data.states, (item) => word('incident.state', item));
  const detectors = list(data.detectors, (item) => word('detector', item));
  const kinds = list(data.kinds, (item) => word('finding.kind', item));
  const q = (to: string, text: string): Door => ({ to, search: { q: text } });
  return (
    <div className="stack wide">
      <Chart
        title={t('figures.findings')} file="findings-per-day" head={t('figures.day')} height={240} empty={t('figures.findings_empty')} onDoor={open}
        labels={data.findings.map((day) => day.day)}
        series={LEVELS.map((level) => ({ name: word('severity', level), tone: level, values: data.findings.map((day) => day[level]) }))}
        door={(label, level) => {
          const day = data.findings[label]?.day;
          return day ? q('/findings', `severity:${LEVELS[level] ?? 'low'} known>=${day} known<${nextDay(day)}`) : null;
        }}
      />
      <div className="cols even">
        <Chart title={t('figures.states')} file="incidents-by-state" head={t('figures.state')} lying height={190} empty={t('figures.incidents_empty')} onDoor={open} labels={states.labels} series={[{ name: t('figures.incidents'), tone: 'accent', values: states.values }]} door={(at) => q('/incidents', `state:${data.states[at]?.item ?? ''} ${period}`)} />
        <Chart title={t('figures.detectors')} file="findings-by-detector" head={t('figures.detector')} lying height={190} empty={t('figures.findings_empty')} onDoor={open} labels={detectors.labels} series={[{ name: t('figures.findings_n'), tone: 'accent', values: detectors.values }]} door={(at) => q('/findings', `detector:${data.detectors[at]?.item ?? ''} ${seen}`)} />
        <Chart title={t('figures.kinds')} file="findings-by-kind" head={t('figures.kind')} lying height={220} empty={t('figures.findings_empty')} onDoor={open} labels={kinds.labels} series={[{ name: t('figures.findings_n'), tone: 'accent', values: kinds.values }]} door={(at) => q('/findings', `kind:${data.kinds[at]?.item ?? ''} ${seen}`)} />
        <Spans title={t('figures.acknowledge')} file="time-to-acknowledge" took={data.acknowledge} tone="accent" open={open} period={period} empty={t('figures.acknowledge_empty')} />
        <Spans title={t('figures.contain')} file="time-to-contain" took={data.contain} tone="good" open={open} period={period} empty={t('figures.contain_empty')} />
        <Spans title={t('figures.recover')} file="time-to-recover" took={data.recover} tone="good" open={open} period={period} empty={t('figures.recover_empty')} />
      </div>
    </div>
  );
}

function Spans({ title, file, took, tone, open, period, empty }: { title: string; file: string; took: Took[]; tone: string; open: (door: Door) => void; period: string; empty: string }) {
  const all = took.reduce((sum, one) => sum + one.n, 0);
  return (
    <Chart
      title={title} file={file} head={t('figures.span')} height={190} empty={empty} onDoor={open}
      labels={took.map((one) => word('figures.bucket', one.bucket))}
      series={[{ name: t('figures.incidents'), tone, values: took.map((one) => one.n) }]}
      door={() => ({ to: '/incidents', search: { q: period } })}
      note={all > 0 && t('figures.median', { span: word('figures.bucket', after(took, 0.5)), late: word('figures.bucket', after(took, 0.9)) })}
    />
  );
}
