// What several organisations see at once, and who shared what.
import { Link } from '@tanstack/react-router';
import type { SituationNow } from '@/api/situation-reads';
import { count } from '@/parts/format';
import { Empty, Panel } from '@/parts/page';
import { Wall } from '@/parts/time';
import { Value } from '@/parts/value';
import { t, tn } from '@/strings/pages';

const SHOWN = 6;

export function Campaigns({ now }: { now: SituationNow }) {
  return (
    <Panel flush title={now.campaigns.length > 0 ? tn('campaigns.title', now.campaigns.length) : t('campaigns.none_title')} end={<span className="small quiet">{t('campaigns.reason')}</span>}>
      {now.campaigns.length === 0 ? <Empty title={t('campaigns.none')}>{t('campaigns.none_why')}</Empty> : now.campaigns.map((one) => (
        <article key={one.peers.join()} className="received">
          <h3>{t('campaigns.seen_at', { names: one.organisations.join(', ') })}</h3>
          <p className="small soft">{t('campaigns.because')} {one.peers.slice(0, SHOWN).map((peer) => <span key={peer}><Value kind="address" value={peer} /> </span>)}{one.techniques.length > 0 && `· ${t('campaigns.techniques', { list: one.techniques.join(', ') })}`}</p>
          <ul className="stack tight small">
            {one.incidents.slice(0, SHOWN).map((incident) => <li key={incident.id}><Link to="/incidents/$id" params={{ id: incident.id }}>{incident.title}</Link></li>)}
          </ul>
          <p className="small quiet">{tn('campaigns.incidents', one.incidents.length)} · {t('campaigns.newest')} <Wall at={one.last_at} relative /></p>
        </article>
      ))}
    </Panel>
  );
}

export function Origins({ now }: { now: SituationNow }) {
  const oldest = now.waiting[0];
  return (
    <Panel title={t('origins.title')}>
      {now.origins.length === 0 ? <p className="soft">{t('origins.none')}</p> : (
        <div className="stack">
          {oldest && <p>{t('origins.oldest')} <Link to="/incidents/$id" params={{ id: oldest.id }}>{oldest.title}</Link>, <Wall at={oldest.opened_at} relative /></p>}
          <table className="data">
            <caption className="hidden-text">{t('origins.title')}</caption>
            <thead><tr><th scope="col">{t('origins.who')}</th><th scope="col" className="right">{t('origins.shared')}</th><th scope="col" className="right">{t('origins.acknowledged')}</th></tr></thead>
            <tbody>{now.origins.map((one) => <tr key={one.name}><td>{one.name}</td><td className="right">{count(one.shared)}</td><td className="right">{count(one.acknowledged)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
