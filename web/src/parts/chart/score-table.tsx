import { useMemo } from 'react';
import type { ScorePoint } from '@/api/types';
import { figure, times } from '@/parts/format';
import { PlainTag } from '@/parts/tags';
import { utcText } from '@/parts/time';
import { t, tn } from '@/strings/t';

const MAX_ROWS = 200;

/** The chart's table twin: the same windows as rows, newest first. */
export function ScoreTable({ points, from, to }: { points: ScorePoint[]; from: number; to: number }) {
  const rows = useMemo(
    () => points.filter((point) => Date.parse(point.start) >= from && Date.parse(point.start) <= to).reverse(),
    [points, from, to],
  );
  return (
    <div className="scroll" style={{ maxHeight: 360, overflowY: 'auto' }} tabIndex={0} role="region" aria-label={t('chart.title')}>
      <table className="data">
        <caption className="small quiet" style={{ textAlign: 'left', paddingBottom: 6 }}>
          {rows.length > MAX_ROWS ? tn('chart.rows_cut', rows.length, { shown: MAX_ROWS }) : tn('chart.rows', rows.length)}
        </caption>
        <thead>
          <tr>
            <th scope="col">{t('chart.col.start')}</th>
            <th scope="col" className="right">{t('chart.col.score')}</th>
            <th scope="col">{t('chart.col.state')}</th>
            <th scope="col">{t('chart.col.metric')}</th>
            <th scope="col" className="right">{t('chart.col.out')}</th>
            <th scope="col" className="right">{t('chart.col.in')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_ROWS).map((point) => (
            <tr key={point.start}>
              <td className="num">{utcText(point.start)}</td>
              <td className="right">{point.score === null ? '–' : times(point.score)}</td>
              <td>{point.alert ? <PlainTag tone="high" shape="diamond">{t('chart.above')}</PlainTag> : <PlainTag>{t('chart.below')}</PlainTag>}</td>
              <td className="mono">{point.top_metric ?? '–'}</td>
              <td className="right">{figure(point.packets_out)}</td>
              <td className="right">{figure(point.packets_in)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
