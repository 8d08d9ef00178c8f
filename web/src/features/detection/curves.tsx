// A ROC curve and a course of scores of one device and detector, each with a table twin.
import { useState } from 'react';
import type { Course } from '@/api/types';
import { figure, times } from '@/parts/format';
import { Empty } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { utcText } from '@/parts/time';
import { decades, logPosition, roundUp } from '@/parts/chart/scale';
import { t, tn } from '@/strings/pages';

const MAX_ROWS = 200;
const LOW = 0.03;

type View = 'chart' | 'table';

function Twin({ title, chart, table }: { title: string; chart: React.ReactNode; table: React.ReactNode }) {
  const [view, setView] = useState<View>('chart');
  return (
    <div className="stack tight">
      <div className="row apart">
        <h3 className="small strong">{title}</h3>
        <Segments label={title} value={view} options={[['chart', t('eval.chart')], ['table', t('eval.table')]]} onChange={setView} />
      </div>
      {view === 'chart' ? chart : table}
    </div>
  );
}

export function RocCurve({ points, label }: { points: number[][]; label: string }) {
  if (points.length === 0) return <Empty title={t('eval.no_roc')}>{t('eval.no_roc_why')}</Empty>;
  const size = 240;
  const [left, top] = [40, 10];
  const x = (value: number) => left + value * size;
  const y = (value: number) => top + (1 - value) * size;
  const path = points.map(([fpr, tpr], index) => `${index === 0 ? 'M' : 'L'}${x(fpr ?? 0).toFixed(1)} ${y(tpr ?? 0).toFixed(1)}`).join('');
  const chart = (
    <div className="curve">
      <svg width={size + 60} height={size + 56} role="img" aria-label={label}>
        {[0, 0.25, 0.5, 0.75, 1].map((value) => (
          <g key={value}>
            <line className="grid" x1={x(value)} x2={x(value)} y1={y(0)} y2={y(1)} />
            <line className="grid" x1={x(0)} x2={x(1)} y1={y(value)} y2={y(value)} />
            <text x={x(value)} y={y(0) + 16} textAnchor="middle">{value}</text>
            <text x={left - 6} y={y(value) + 4} textAnchor="end">{value}</text>
          </g>
        ))}
        <line className="guess" x1={x(0)} y1={y(0)} x2={x(1)} y2={y(1)} />
        <path className="line" d={path} />
        <text x={x(0.5)} y={y(0) + 36} textAnchor="middle">{t('eval.fpr')}</text>
        <text transform={`translate(10 ${y(0.5)}) rotate(-90)`} textAnchor="middle">{t('eval.tpr')}</text>
      </svg>
    </div>
  );
  const table = (
    <div className="scroll" style={{ maxHeight: 300, overflowY: 'auto' }} tabIndex={0} role="region" aria-label={label}>
      <table className="data">
        <caption className="hidden-text">{label}</caption>
        <thead><tr><th scope="col" className="right">{t('eval.fpr')}</th><th scope="col" className="right">{t('eval.tpr')}</th></tr></thead>
        <tbody>{points.slice(0, MAX_ROWS).map(([fpr, tpr], index) => <tr key={index}><td className="right">{figure(fpr ?? 0)}</td><td className="right">{figure(tpr ?? 0)}</td></tr>)}</tbody>
      </table>
    </div>
  );
  return <Twin title={t('eval.roc')} chart={chart} table={table} />;
}

export function CourseChart({ course, label }: { course: Course[]; label: string }) {
  const first = course[0];
  const last = course.at(-1);
  if (!first || !last) return <Empty title={t('eval.no_course')}>{t('eval.no_course_why')}</Empty>;
  const [width, height, left, top] = [560, 240, 44, 10];
  const high = Math.max(10, roundUp(Math.max(...course.map((one) => one.score)) * 1.2));
  const x = (at: number) => left + ((at - first.start) / Math.max(1, last.start - first.start)) * width;
  const y = (score: number) => top + height * (1 - logPosition(score, LOW, high));
  const ticks = (kind: boolean) => course.filter((one) => one.attack === kind).map((one) => `M${x(one.start).toFixed(1)} ${y(LOW)}V${Math.min(y(LOW) - 2, y(one.score)).toFixed(1)}`).join('');
  const chart = (
    <div className="curve scroll" tabIndex={0} role="region" aria-label={t('eval.course')}>
      <svg width={width + left + 12} height={height + 50} role="img" aria-label={label}>
        {decades(LOW, high).filter((value) => value !== 1).map((value) => (
          <g key={value}><line className="grid" x1={left} x2={left + width} y1={y(value)} y2={y(value)} /><text x={left - 6} y={y(value) + 4} textAnchor="end">{times(value)}</text></g>
        ))}
        <path className="quiet-points" d={ticks(false)} />
        <path className="attack-points" d={ticks(true)} />
        <line className="threshold" x1={left} x2={left + width} y1={y(1)} y2={y(1)} />
        <text x={left - 6} y={y(1) + 4} textAnchor="end">1×</text>
        <text x={left} y={top + height + 18}>{utcText(first.start * 1000)}</text>
        <text x={left + width} y={top + height + 18} textAnchor="end">{utcText(last.start * 1000)}</text>
        <text x={left} y={top + height + 38}>{t('eval.course_key')}</text>
      </svg>
    </div>
  );
  const table = (
    <div className="scroll" style={{ maxHeight: 300, overflowY: 'auto' }} tabIndex={0} role="region" aria-label={label}>
      <table className="data">
        <caption className="small quiet" style={{ textAlign: 'left', padding: 8 }}>{course.length > MAX_ROWS ? tn('chart.rows_cut', course.length, { shown: MAX_ROWS }) : tn('chart.rows', course.length)}</caption>
        <thead><tr><th scope="col">{t('chart.col.start')}</th><th scope="col" className="right">{t('chart.col.score')}</th><th scope="col">{t('eval.truth')}</th></tr></thead>
        <tbody>{course.slice(0, MAX_ROWS).map((one) => <tr key={one.start}><td className="num">{utcText(one.start * 1000)}</td><td className="right">{times(one.score)}</td><td>{t(one.attack ? 'eval.attack' : 'eval.benign')}</td></tr>)}</tbody>
      </table>
    </div>
  );
  return <Twin title={t('eval.course')} chart={chart} table={table} />;
}

