import type { GatewayTotals } from '@/api/types';
import { bytes, count, percent } from '@/parts/format';
import { Banner } from '@/parts/page';
import { t, tn, word } from '@/strings/pages';
import { balanceOf } from './totals';
import './gateway.css';

/** What came in and what became of it: a bar, and the same as a table that adds up. */
export function Balance({ totals }: { totals: GatewayTotals }) {
  const balance = balanceOf(totals);
  const tried = Object.entries(totals.would_drop).filter(([, one]) => one.packets > 0);
  return (
    <div className="balance">
      {balance.seen.packets > 0 && (
        <div className="balance-bar" aria-hidden="true">
          {balance.parts.filter((part) => part.count.packets > 0).map((part) => <span key={part.name} className={part.name} style={{ flexGrow: part.share, flexBasis: 0 }} />)}
        </div>
      )}
      <div className="scroll" tabIndex={0} role="region" aria-label={t('gw.totals')}>
        <table className="data">
          <caption className="hidden-text">{t('gw.totals')}</caption>
          <thead>
            <tr><th scope="col">{t('gw.col.what')}</th><th scope="col" className="right">{t('gw.col.packets')}</th><th scope="col" className="right">{t('gw.col.share')}</th><th scope="col" className="right">{t('gw.col.bytes')}</th></tr>
          </thead>
          <tbody>
            {balance.parts.map((part) => (
              <tr key={part.name}>
                <th scope="row"><i className={`swatch ${part.name}`} aria-hidden="true" />{word('gw.reason', part.name)}</th>
                <td className="right">{count(part.count.packets)}</td>
                <td className="right">{percent(part.share)}</td>
                <td className="right">{bytes(part.count.bytes)}</td>
              </tr>
            ))}
            <tr className="strong">
              <th scope="row">{t('gw.seen')}</th>
              <td className="right">{count(balance.seen.packets)}</td>
              <td className="right" />
              <td className="right">{bytes(balance.seen.bytes)}</td>
            </tr>
          </tbody>
        </table>
      </div>
      <p className="small soft" data-sum={balance.open === 0 ? 'holds' : 'open'}>{balance.open === 0 ? t('gw.sum') : tn('gw.open', Math.abs(balance.open))}</p>
      {tried.length > 0 && (
        <Banner tone="medium" icon="info">
          {t('gw.would_drop')} {tried.map(([name, one]) => `${word('gw.reason', name)}: ${count(one.packets)}`).join('; ')}.
        </Banner>
      )}
    </div>
  );
}
