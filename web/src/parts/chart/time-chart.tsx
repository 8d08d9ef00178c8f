// Score and traffic over packet time, drawn in one SVG. It has a table twin and can be saved.
import { useElementSize } from '@mantine/hooks';
import { useMemo, useState } from 'react';
import type { ScorePoint } from '@/api/types';
import { figure, times } from '@/parts/format';
import { utcShortText, utcText } from '@/parts/time';
import { t } from '@/strings/t';
import { binned, decades, logPosition, nearest, roundUp, timeTicks, type Bin } from './scale';
import './chart.css';

export interface ChartMark {
  at: string;
  kind: 'block' | 'finding' | 'release';
  label: string;
}

export interface TimeChartProps {
  points: ScorePoint[];
  from: number;
  to: number;
  /** Span of training, if known. */
  learned?: { from: number; to: number } | null;
  /** How far a replay has come. */
  head?: number | null;
  marks: ChartMark[];
  label: string;
  svg?: React.Ref<SVGSVGElement>;
}

const LEFT = 52;
const RIGHT = 14;
const SCORE = { top: 50, height: 146 };
const TRAFFIC = { top: 230, height: 84 };
const HEIGHT = 342;
const LOW = 0.03;
const BAR = 3;
/** Half the height of the mark at a score, px; alerts are twice as tall, so that shape tells them too. */
const CAP = 2.5;

export function TimeChart(props: TimeChartProps) {
  const { ref, width } = useElementSize();
  return (
    <div ref={ref} className="time-chart" style={{ minHeight: HEIGHT }}>
      {width > 120 && <Drawing {...props} width={width} />}
    </div>
  );
}

interface Frame {
  width: number;
  inner: number;
  x: (at: number) => number;
  score: (value: number) => number;
  traffic: (value: number) => number;
  high: number;
  most: number;
}

function frameOf(width: number, from: number, to: number, bins: Bin[]): Frame {
  const inner = width - LEFT - RIGHT;
  const high = Math.max(10, roundUp(Math.max(0, ...bins.map((bin) => bin.score)) * 1.2));
  const most = roundUp(Math.max(1, ...bins.map((bin) => Math.max(bin.out, bin.in))));
  const middle = TRAFFIC.top + TRAFFIC.height / 2;
  return {
    width,
    inner,
    high,
    most,
    x: (at) => LEFT + ((at - from) / (to - from)) * inner,
    score: (value) => SCORE.top + SCORE.height * (1 - logPosition(value, LOW, high)),
    traffic: (value) => middle - (value / most) * (TRAFFIC.height / 2),
  };
}

function Drawing({ points, from, to, learned, head, marks, label, svg, width }: TimeChartProps & { width: number }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const columns = Math.max(1, Math.floor((width - LEFT - RIGHT) / BAR));
  const bins = useMemo(() => binned(points, from, to, columns), [points, from, to, columns]);
  const frame = useMemo(() => frameOf(width, from, to, bins), [width, from, to, bins]);
  const bin = chosen === null ? undefined : bins[nearest(bins, chosen)];
  const move = (direction: number) => {
    const at = bins[Math.max(0, Math.min(bins.length - 1, (bin ? bins.indexOf(bin) : bins.length - 1) + direction))];
    if (at) setChosen(at.at);
  };
  return (
    <>
      <svg
        ref={svg}
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={label}
        tabIndex={0}
        onMouseMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          setChosen(from + ((event.clientX - box.left - LEFT) / frame.inner) * (to - from));
        }}
        onMouseLeave={() => setChosen(null)}
        onBlur={() => setChosen(null)}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
          event.preventDefault();
          move(event.key === 'ArrowLeft' ? -1 : 1);
        }}
      >
        <Grounds frame={frame} from={from} to={to} learned={learned ?? null} head={head ?? null} />
        <Bars frame={frame} bins={bins} />
        <Marks frame={frame} marks={marks} from={from} to={to} />
        {bin && <line x1={frame.x(bin.at)} x2={frame.x(bin.at)} y1={SCORE.top} y2={TRAFFIC.top + TRAFFIC.height} stroke="var(--text)" strokeWidth="1" />}
      </svg>
      {bin && <Readout bin={bin} left={frame.x(bin.at)} width={width} />}
    </>
  );
}

function Grounds({ frame, from, to, learned, head }: { frame: Frame; from: number; to: number; learned: { from: number; to: number } | null; head: number | null }) {
  const right = frame.width - RIGHT;
  const bottom = TRAFFIC.top + TRAFFIC.height;
  const ticks = timeTicks(from, to, Math.max(2, Math.floor(frame.inner / 110)));
  const held = (at: number) => Math.max(LEFT, Math.min(right, frame.x(at)));
  return (
    <g>
      {learned && held(learned.to) > held(learned.from) && (
        <rect x={held(learned.from)} y={SCORE.top} width={held(learned.to) - held(learned.from)} height={bottom - SCORE.top} fill="var(--accent-soft)" />
      )}
      {learned && held(learned.to) - held(learned.from) > 90 && (
        <text x={held(learned.from) + 4} y={SCORE.top + SCORE.height - 8} className="note">{t('chart.learned')}</text>
      )}
      {head !== null && head < to && head > from && (
        <rect x={held(head)} y={SCORE.top} width={Math.max(0, right - held(head))} height={bottom - SCORE.top} fill="var(--surface-2)" />
      )}
      <text x={LEFT} y={16} className="title">{t('chart.score')}</text>
      <text x={LEFT} y={TRAFFIC.top - 12} className="title">{t('chart.traffic')}</text>
      {decades(LOW, frame.high).filter((value) => value !== 1).map((value) => (
        <g key={value}>
          <line x1={LEFT} x2={right} y1={frame.score(value)} y2={frame.score(value)} className="grid" />
          <text x={LEFT - 8} y={frame.score(value) + 4} className="tick end">{times(value)}</text>
        </g>
      ))}
      <line x1={LEFT} x2={right} y1={frame.score(1)} y2={frame.score(1)} className="threshold" />
      <text x={LEFT - 8} y={frame.score(1) + 4} className="tick end strong">1×</text>
      <text x={right} y={frame.score(1) - 5} className="note end alert">{t('chart.threshold')}</text>
      <line x1={LEFT} x2={right} y1={frame.traffic(0)} y2={frame.traffic(0)} className="axis" />
      <text x={LEFT - 8} y={TRAFFIC.top + 6} className="tick end">{figure(frame.most)}</text>
      <text x={LEFT - 8} y={frame.traffic(0) + 4} className="tick end">0</text>
      <text x={LEFT - 8} y={bottom + 2} className="tick end">{figure(frame.most)}</text>
      {ticks.map((at) => (
        <g key={at}>
          <line x1={frame.x(at)} x2={frame.x(at)} y1={bottom} y2={bottom + 4} className="axis" />
          <text x={Math.max(LEFT + 30, Math.min(right - 34, frame.x(at)))} y={bottom + 18} className="tick middle">{utcShortText(at)}</text>
        </g>
      ))}
    </g>
  );
}

function Bars({ frame, bins }: { frame: Frame; bins: Bin[] }) {
  const paths = useMemo(() => {
    const path = { stems: '', quiet: '', alert: '', out: '', in: '' };
    const floor = SCORE.top + SCORE.height;
    const zero = frame.traffic(0);
    for (const bin of bins) {
      const x = frame.x(bin.at).toFixed(1);
      const y = Math.min(floor - CAP, frame.score(bin.score));
      if (bin.judged) {
        path.stems += `M${x} ${floor}V${(y + CAP).toFixed(1)}`;
        path[bin.alert ? 'alert' : 'quiet'] += `M${x} ${(y + CAP).toFixed(1)}V${(y - (bin.alert ? CAP : 0)).toFixed(1)}`;
      }
      if (bin.out > 0) path.out += `M${x} ${zero}V${frame.traffic(bin.out).toFixed(1)}`;
      if (bin.in > 0) path.in += `M${x} ${zero}V${frame.traffic(-bin.in).toFixed(1)}`;
    }
    return path;
  }, [bins, frame]);
  const width = BAR - 0.8;
  return (
    <g fill="none" strokeWidth={width}>
      <path d={paths.stems} stroke="var(--chart-quiet)" opacity="0.22" />
      <path d={paths.quiet} stroke="var(--chart-quiet)" />
      <path d={paths.alert} stroke="var(--chart-alert)" />
      <path d={paths.out} stroke="var(--chart-out)" />
      <path d={paths.in} stroke="var(--chart-in)" />
    </g>
  );
}

function Marks({ frame, marks, from, to }: { frame: Frame; marks: ChartMark[]; from: number; to: number }) {
  const shown = marks.filter((mark) => Date.parse(mark.at) >= from && Date.parse(mark.at) <= to);
  return (
    <g>
      {shown.map((mark, index) => {
        const x = frame.x(Date.parse(mark.at));
        const end = x > frame.width - 170;
        const y = SCORE.top - 18 + (index % 2) * 13;
        return (
          <g key={`${mark.kind}${mark.at}`} className={`flag ${mark.kind}`}>
            <line x1={x} x2={x} y1={SCORE.top - 26} y2={TRAFFIC.top + TRAFFIC.height} />
            <text x={x + (end ? -6 : 6)} y={y} className={end ? 'end' : ''}>{mark.label}</text>
          </g>
        );
      })}
    </g>
  );
}

function Readout({ bin, left, width }: { bin: Bin; left: number; width: number }) {
  const { top } = bin;
  return (
    <div className="readout" role="status" style={left > width / 2 ? { right: width - left + 12 } : { left: left + 12 }}>
      <div className="strong">{utcText(top.start)} <span className="quiet">{t('time.packet')}</span></div>
      <dl className="facts">
        <dt>{t('chart.read.score')}</dt>
        <dd className="num">{top.score === null ? t('chart.read.learning') : t(bin.alert ? 'chart.read.above' : 'chart.read.below', { score: times(bin.score) })}</dd>
        {top.top_metric && (
          <>
            <dt>{t('chart.read.metric')}</dt>
            <dd><span className="mono">{top.top_metric}</span>{top.measured !== null && top.expected !== null && ` ${t('chart.read.against', { measured: figure(top.measured), expected: figure(top.expected) })}`}</dd>
          </>
        )}
        <dt>{t('chart.read.packets')}</dt>
        <dd className="num">{t('chart.read.traffic', { out: figure(bin.out), in: figure(bin.in) })}</dd>
      </dl>
    </div>
  );
}
