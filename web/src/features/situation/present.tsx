// The present in plain words: devices, sites, what waits, what stands.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { situationReads, type DeviceNow, type SituationNow } from '@/api/situation-reads';
import { Banner, Empty, Panel } from '@/parts/page';
import { PlainTag } from '@/parts/tags';
import { localText, Wall } from '@/parts/time';
import { StandingTag } from '@/parts/standing';
import { SiteMap } from '@/parts/map/site-map';
import { t, tn, word } from '@/strings/pages';
import { sinceLastHere } from './last-here';

const DEVICES_SHOWN = 8;
const LISTED = 5;

export function useNowRead() {
  const [since] = useState(sinceLastHere);
  return useQuery(situationReads.now(since));
}

/** What is known of a device, as a person would say it. */
export function sentenceOf(device: DeviceNow): string {
  const since = device.since ? localText(device.since) : null;
  const gateway = device.gateway ?? '';
  switch (device.standing) {
    case 'blocked':
      return since ? t('now.blocked', { gateway, since }) : t('now.blocked_plain', { gateway });
    case 'not_enforced':
      return t('now.not_enforced', { gateway });
    case 'attention':
      return t('now.attention');
    case 'contained':
      return t('now.contained');
    case 'learning':
      return t('now.learning');
    case 'unwatched':
      return device.reason ? t('now.unwatched_why', { reason: device.reason }) : t('now.unwatched');
    default:
      return t('now.well');
  }
}

function act(device: DeviceNow): ReactNode {
  if (device.incident) return <Link to="/incidents/$id" params={{ id: device.incident }}>{t('now.open_incident')}</Link>;
  if (device.gateway && device.standing !== 'well') return <Link to="/gateways/$name" params={{ name: device.gateway }}>{t('now.open_gateway')}</Link>;
  return <Link to="/devices/$id" params={{ id: device.id }}>{t('now.open_device')}</Link>;
}

export function DevicesNow({ now }: { now: SituationNow }) {
  const sites = new Map(now.sites.map((site) => [site.id, site.name]));
  const well = now.standings.well ?? 0;
  const shown = now.devices.slice(0, DEVICES_SHOWN);
  const all = Object.values(now.standings).reduce((sum, n) => sum + (n ?? 0), 0);
  if (all === 0) return null;
  return (
    <Panel flush title={shown.length === 0 ? t('now.devices_well') : t('now.devices')} end={<Link to="/devices" className="small">{tn('now.all_devices', all)}</Link>}>
      {shown.length === 0 ? <Empty title={tn('now.well_all', well)}>{t('now.well_why')}</Empty> : (
        <ul className="now-list">
          {shown.map((device) => (
            <li key={device.id}>
              <StandingTag value={device.standing} />
              <div className="grow">
                <b>{[device.site ? sites.get(device.site) : device.place, device.name].filter(Boolean).join(', ')}</b>
                <div className="small soft">{sentenceOf(device)}{device.until && <> {t('now.it_ends')} <Wall at={device.until} relative />.</>}</div>
              </div>
              {act(device)}
            </li>
          ))}
        </ul>
      )}
      {(well > 0 && shown.length > 0) && <p className="small quiet now-foot">{tn('now.others_well', well)}{now.more_devices && ` ${t('now.more_devices')}`}</p>}
    </Panel>
  );
}

export function SitesNow({ now }: { now: SituationNow }) {
  const navigate = useNavigate();
  const layers = useQuery({ ...situationReads.layers(), enabled: now.sites.length > 0 });
  if (now.sites.length === 0) return null;
  const calling = now.sites.filter((site) => site.standing === 'attention' || site.standing === 'not_enforced');
  return (
    <Panel flush title={calling.length > 0 ? t('now.sites_calling', { names: calling.slice(0, 3).map((site) => site.name).join(', ') }) : t('now.sites')} end={<Link to="/sites" className="small">{tn('now.all_sites', now.sites.length)}</Link>}>
      <SiteMap small sites={now.sites} layers={layers.data ?? []} onSite={(site) => void navigate({ to: '/sites', search: { site: site.id } })} />
    </Panel>
  );
}

export function QuestionsNow({ now }: { now: SituationNow }) {
  if (now.questions.length === 0) return null;
  return (
    <Panel flush title={tn('now.questions', now.questions.length)} end={<Link to="/approvals" className="small">{t('nav.approvals')}</Link>}>
      <ul className="now-list">
        {now.questions.slice(0, LISTED).map((one, at) => (
          <li key={at}>
            <div className="grow">
              {one.run ? <Link to="/runs/$id" params={{ id: one.run }}>{one.title}</Link> : <Link to="/approvals">{one.title}</Link>}
              <div className="small quiet">{t(one.what === 'run' ? 'now.question_run' : 'now.question_proposal')} <Wall at={one.since} relative /></div>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

export function OrdersNow({ now }: { now: SituationNow }) {
  if (now.orders.length === 0) return null;
  return (
    <Panel flush title={tn('now.orders', now.orders.length)} end={<Link to="/gateways" className="small">{t('nav.gateways')}</Link>}>
      <ul className="now-list">
        {now.orders.slice(0, LISTED).map((one) => (
          <li key={one.key}>
            <div className="grow">
              <Link to="/gateways/$name" params={{ name: one.gateway }}>{word('verb', one.verb)} <code>{one.target}</code></Link>
              <div className="small quiet">
                {one.gateway}{one.since && <> · {t('now.since')} <Wall at={one.since} relative /></>}{one.until && <> · {t('now.until')} <Wall at={one.until} relative /></>}
              </div>
            </div>
            {one.enforced === true ? <PlainTag tone="good" shape="check">{t('now.enforced')}</PlainTag> : one.enforced === false ? <PlainTag tone="high" shape="triangle">{t('now.no_effect')}</PlainTag> : <PlainTag tone="low" shape="dots">{t('now.no_answer')}</PlainTag>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** What changed since the person was here last, and what could not be asked. */
export function Changes({ now }: { now: SituationNow }) {
  const { changes, missing } = now;
  const n = (count: number) => (changes && count >= changes.at_most ? `${count}+` : String(count));
  return (
    <>
      {missing.length > 0 && <Banner tone="medium">{t('now.missing', { parts: missing.map((part) => word('now.part', part)).join(', ') })} <Link to="/health">{t('nav.health')}</Link></Banner>}
      {changes && (changes.opened > 0 || changes.changed > 0) && (
        <p className="small soft now-changes"><Link to="/incidents">{t('now.changes', { opened: n(changes.opened), changed: n(changes.changed) })}</Link> · {t('now.here_last')} <Wall at={changes.since} relative /></p>
      )}
    </>
  );
}
