// Charts of figures: ECharts with only what is used, in the colours of the theme, with a table twin and doors.
import { BarChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import { init, use, type ECharts } from 'echarts/core';
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Button } from '@/parts/button';
import { Empty, Panel } from '@/parts/page';
import { t } from '@/strings/pages';
import { download } from './save';
import './echart.css';

use([BarChart, GridComponent, TooltipComponent, LegendComponent, AriaComponent, SVGRenderer, CanvasRenderer]);

export interface Series {
  name: string;
  /** A token's name without dashes. */
  tone: string;
  values: number[];
}

export interface Door {
  to: string;
  search: Record<string, string>;
}

interface ChartProps {
  title: string;
  /** The file's name when it is saved. */
  file: string;
  labels: string[];
  /** Head of the table's first column. */
  head: string;
  series: Series[];
  /** Lying bars, for words that are long. */
  lying?: boolean;
  height?: number;
  note?: ReactNode;
  empty: string;
  /** Where a bar leads: by label and series. */
  door?: (label: number, series: number) => Door | null;
  onDoor?: (door: Door) => void;
}

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** So few labels stand all. */
const FEW = 8;

/** Patterns beside the colours, so that series differ without them. */
const DECALS = [
  { symbol: 'none' },
  { symbol: 'rect', symbolSize: 1, dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -Math.PI / 4 },
  { symbol: 'circle', symbolSize: 0.6, dashArrayX: [[6, 6], [0, 6, 6, 0]], dashArrayY: [5, 0] },
  { symbol: 'rect', symbolSize: 1, dashArrayX: [1, 0], dashArrayY: [2, 3], rotation: Math.PI / 4 },
];

function optionOf({ labels, series, lying }: ChartProps, animated: boolean): Parameters<ECharts['setOption']>[0] {
  const [text, quiet, line] = [token('text-2'), token('text-3'), token('line')];
  const words = { type: 'category' as const, data: labels, axisLabel: { color: quiet, fontSize: 11, ...(labels.length <= FEW ? { interval: 0 } : {}), ...(lying ? { width: 150, overflow: 'truncate' as const } : {}) }, axisLine: { lineStyle: { color: token('line-strong') } }, axisTick: { show: false }, inverse: lying === true };
  const numbers = { type: 'value' as const, minInterval: 1, axisLabel: { color: quiet, fontSize: 11 }, splitLine: { lineStyle: { color: line } } };
  return {
    animation: animated,
    animationDuration: 150,
    textStyle: { fontFamily: token('sans') || 'sans-serif' },
    backgroundColor: token('surface'),
    grid: { left: 8, right: 16, top: series.length > 1 ? 34 : 12, bottom: 4, containLabel: true },
    ...(series.length > 1 ? { legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: text, fontSize: 12 } } } : {}),
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' }, backgroundColor: token('surface'), borderColor: token('line-strong'), textStyle: { color: token('text'), fontSize: 12 }, confine: true },
    xAxis: lying ? numbers : words,
    yAxis: lying ? words : numbers,
    series: series.map((one, at) => ({
      name: one.name, type: 'bar' as const, stack: 'all', data: one.values, barMaxWidth: 26, cursor: 'pointer',
      itemStyle: { color: token(one.tone), decal: { color: token('surface'), ...(DECALS[at % DECALS.length] ?? {}) } },
    })),
  } as Parameters<ECharts['setOption']>[0];
}

function picture(props: ChartProps, form: 'svg' | 'png', size: { width: number; height: number }): void {
  const box = document.createElement('div');
  const chart = init(box, null, { renderer: form === 'svg' ? 'svg' : 'canvas', ...size });
  chart.setOption(optionOf(props, false));
  if (form === 'svg') {
    download(`${props.file}.svg`, new Blob([chart.renderToSVGString()], { type: 'image/svg+xml' }));
    chart.dispose();
    return;
  }
  chart.renderToCanvas({ pixelRatio: 2 }).toBlob((blob) => {
    if (blob) download(`${props.file}.png`, blob);
    chart.dispose();
  });
}

export function Chart(props: ChartProps) {
  const { title, labels, series, head, height = 220, note, empty, door, onDoor } = props;
  const box = useRef<HTMLDivElement>(null);
  const [table, setTable] = useState(false);
  const nothing = series.every((one) => one.values.every((value) => value === 0));
  const latest = useRef(props);
  latest.current = props;
  const drawn = useRef<ECharts | null>(null);
  const shown = !table && !nothing;
  useEffect(() => {
    const element = box.current;
    if (!shown || !element) return;
    const chart = init(element, null, { renderer: 'svg' });
    drawn.current = chart;
    chart.on('click', (event) => {
      const to = latest.current.door?.(event.dataIndex, event.seriesIndex ?? 0);
      if (to) latest.current.onDoor?.(to);
    });
    const draw = () => chart.setOption(optionOf(latest.current, !window.matchMedia('(prefers-reduced-motion: reduce)').matches), true);
    draw();
    const size = new ResizeObserver(() => chart.resize());
    size.observe(element);
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-mantine-color-scheme'] });
    return () => {
      size.disconnect();
      theme.disconnect();
      drawn.current = null;
      chart.dispose();
    };
  }, [shown]);
  const figures = JSON.stringify([labels, series]);
  useEffect(() => {
    drawn.current?.setOption(optionOf(latest.current, false), true);
  }, [figures]);
  const save = (form: 'svg' | 'png') => picture(props, form, { width: box.current?.clientWidth || 720, height: Math.max(height, 200) });
  return (
    <Panel
      title={title}
      end={!nothing && (
        <>
          <Button plain small onClick={() => setTable(!table)} aria-pressed={table}>{t('plot.as_table')}</Button>
          <Button plain small onClick={() => save('svg')} aria-label={t('plot.save_of', { form: 'SVG', title })}>SVG</Button>
          <Button plain small onClick={() => save('png')} aria-label={t('plot.save_of', { form: 'PNG', title })}>PNG</Button>
        </>
      )}
    >
      {nothing ? <Empty title={t('plot.nothing')}>{empty}</Empty> : table ? <Twin labels={labels} series={series} head={head} title={title} door={door} onDoor={onDoor} /> : (
        // The same figures as words stand in the table, one key away; the picture is one thing for those who hear the page.
        <div ref={box} style={{ height }} role="img" aria-label={`${title}: ${spoken(labels, series)}`} />
      )}
      {note && <p className="small quiet">{note}</p>}
    </Panel>
  );
}

/** The largest figures in words. */
function spoken(labels: string[], series: Series[]): string {
  const sums = labels.map((label, at) => ({ label, n: series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0) }));
  return sums.filter((one) => one.n > 0).sort((a, b) => b.n - a.n).slice(0, 3).map((one) => `${one.label} ${one.n}`).join(', ');
}

function Twin({ labels, series, head, title, door, onDoor }: Pick<ChartProps, 'labels' | 'series' | 'head' | 'title' | 'door' | 'onDoor'>) {
  return (
    <div className="scroll chart-twin" tabIndex={0} role="region" aria-label={title}>
      <table className="data">
        <caption className="hidden-text">{title}</caption>
        <thead><tr><th scope="col">{head}</th>{series.map((one) => <th key={one.name} scope="col" className="right">{one.name}</th>)}</tr></thead>
        <tbody>
          {labels.map((label, at) => (
            <tr key={label}>
              <td>{label}</td>
              {series.map((one, which) => {
                const to = one.values[at] ? door?.(at, which) : null;
                return <td key={one.name} className="right">{to ? <button type="button" className="value" onClick={() => onDoor?.(to)}>{one.values[at]}</button> : (one.values[at] ?? 0)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
