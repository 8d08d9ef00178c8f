import type { Device, DeviceCounts, Judging } from '@/api/types';
import { bytes, count } from '@/parts/format';
import { Banner } from '@/parts/page';
import { t, word } from '@/strings/pages';
import { busiest } from './totals';

const MAX_LINES = 50;

/** Packets of each device: passed, dropped, for which reasons; those that lost most first. */
export function ByDevice({ lines, names }: { lines: DeviceCounts[]; names: Device[] }) {
  if (lines.length === 0) return <p className="small quiet">{t('gw.by_device_none')}</p>;
  const shown = busiest(lines).slice(0, MAX_LINES);
  const nameOf = (mac: string) => names.find((one) => one.mac === mac)?.name;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t('gw.by_device')}>
      <table className="data">
        <caption className="hidden-text">{t('gw.by_device')}</caption>
        <thead>
          <tr><th scope="col">{t('gw.device')}</th><th scope="col" className="right">{t('gw.reason.passed')}</th><th scope="col" className="right">{t('gw.col.bytes')}</th><th scope="col" className="right">{t('gw.col.dropped')}</th><th scope="col">{t('gw.col.reasons')}</th></tr>
        </thead>
        <tbody>
          {shown.map((line) => (
            <tr key={line.mac}>
              <th scope="row">{nameOf(line.mac) ?? <code>{line.mac}</code>}</th>
              <td className="right">{count(line.forwarded_packets)}</td>
              <td className="right">{bytes(line.forwarded_bytes)}</td>
              <td className="right">{count(line.dropped_packets)}</td>
              <td className="small">{Object.entries(line.reasons).filter(([, one]) => one.packets > 0).map(([name, one]) => `${word('gw.reason', name)}: ${count(one.packets)}`).join('; ')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {lines.length > shown.length && <p className="small soft">{t('gw.by_device_more', { n: lines.length - shown.length })}</p>}
    </div>
  );
}

/** How packets are judged one by one, and whether a flood goes on. */
export function JudgingPart({ judging }: { judging: Judging }) {
  return (
    <div className="stack">
      {judging.flood && <Banner tone="medium" icon="info">{t('gw.flood', { batch: count(judging.batch) })}</Banner>}
      <p>{t('gw.judged', { n: count(judging.judged), us: (judging.packet_ns / 1000).toFixed(1) })}</p>
      <p className="small quiet">{t('gw.waiting', { waiting: count(judging.waiting), places: count(judging.may_wait), suspects: count(judging.suspects), floods: count(judging.floods) })}</p>
    </div>
  );
}
