import type { Finding } from '@/api/types';
import { figure, times } from '@/parts/format';
import { Empty } from '@/parts/page';
import { t, word } from '@/strings/pages';
import './detection.css';

/** Which metrics, measured against expected, which judge; the strongest first. */
export function Explanation({ finding }: { finding: Finding }) {
  if (finding.why.length === 0) return <Empty title={t('why.none')} />;
  const most = Math.max(...finding.why.map((reason) => reason.ratio));
  return (
    <div className="scroll">
      <table className="data">
        <caption className="table-name">{t('why.title')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('why.metric')}</th>
            <th scope="col" className="right">{t('why.measured')}</th>
            <th scope="col" className="right">{t('why.expected')}</th>
            <th scope="col">{t('why.judge')}</th>
            <th scope="col" style={{ width: '26%' }}>{t('why.ratio')}</th>
          </tr>
        </thead>
        <tbody>
          {finding.why.map((reason) => (
            <tr key={`${reason.metric}${reason.judge}`}>
              <td>{reason.meaning} <code className="quiet">{reason.metric}</code></td>
              <td className="right strong">{figure(reason.measured)}</td>
              <td className="right">{figure(reason.expected)}</td>
              <td className="nowrap">{word('judge', reason.judge)}</td>
              <td>
                <div className="row nowrap">
                  <span className="num strong" style={{ minWidth: 44 }}>{times(reason.ratio)}</span>
                  <span className="ratio" aria-hidden="true">
                    <i style={{ width: `${(reason.ratio / most) * 100}%` }} />
                    <b style={{ left: `${(1 / Math.max(most, 1)) * 100}%` }} />
                  </span>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
