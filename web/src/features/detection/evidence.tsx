import type { Finding } from '@/api/types';
import { serviceOf } from '@/features/incidents/words';
import { count } from '@/parts/format';
import { PlainTag } from '@/parts/tags';
import { Value } from '@/parts/value';
import { t, word } from '@/strings/pages';
import './detection.css';

/** The remote parties that carry the evidence, and the techniques it supports. */
export function EvidenceTable({ finding }: { finding: Finding }) {
  return (
    <>
      {finding.evidence.length > 0 && (
        <div className="scroll rule">
          <table className="data">
            <caption className="table-name">{t('evidence.title')}</caption>
            <thead>
              <tr>
                <th scope="col">{t('evidence.peer')}</th>
                <th scope="col">{t('evidence.service')}</th>
                <th scope="col" className="right">{t('evidence.packets')}</th>
                <th scope="col">{t('evidence.novelty')}</th>
              </tr>
            </thead>
            <tbody>
              {finding.evidence.map((one) => (
                <tr key={`${one.peer}${one.protocol}${one.port}`}>
                  <td><Value kind="address" value={one.peer} /></td>
                  <td className="mono">{serviceOf(one.protocol, one.port)}</td>
                  <td className="right">{count(one.packets)}</td>
                  <td>{one.new ? <PlainTag tone="medium" shape="triangle">{t('evidence.new')}</PlainTag> : <span className="quiet">{t('evidence.known')}</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {finding.techniques.length > 0 && (
        <div className="techniques rule">
          <span className="small quiet">{t('evidence.techniques')}</span>
          {finding.techniques.map((technique) => (
            <Value key={technique.id} kind="technique" value={technique.id}>
              <span><code>{technique.id}</code> {technique.name} <span className="small quiet">{word('framework', technique.framework)}</span></span>
            </Value>
          ))}
        </div>
      )}
    </>
  );
}
