import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { get, query, remove } from '@/api/client';
import { situationReads, type Layer, type Site, type SiteNow, type Standing } from '@/api/situation-reads';
import type { Device, Page } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed, Ghost, Loaded, Panel } from '@/parts/page';
import { StandingTag } from '@/parts/standing';
import { t, tn, word } from '@/strings/pages';
import { Assign } from './assign';
import { SiteForm } from './site-form';
import '@/parts/native.css';

interface SitePanelProps {
  /** A site's id, or `new`. */
  id: string;
  now: SiteNow | null;
  plans: Layer[];
  close: () => void;
  open: (id: string) => void;
}

/** One site beside the map: what stands there and how; its words for whoever may change them. */
export function SitePanel({ id, now, plans, close, open }: SitePanelProps) {
  const sites = useQuery(situationReads.sites());
  const site = sites.data?.items.find((one) => one.id === id) ?? null;
  const may = useMay('assets.write');
  const [editing, setEditing] = useState(false);
  const end = <Button plain small onClick={close}>{t('page.close')}</Button>;
  if (id === 'new') return <Panel title={t('sites.new')} end={end}><SiteForm site={null} plans={plans} done={(made) => open(made.id)} /></Panel>;
  if (!sites.data) return <Panel title={t('sites.one')} end={end}>{sites.isError ? <Failed error={sites.error} retry={sites.refetch} /> : <Ghost rows={5} />}</Panel>;
  if (!site) return <Panel title={t('sites.one')} end={end}><p className="soft">{t('sites.unknown')}</p></Panel>;
  return (
    <div className="stack wide">
      <Panel title={site.name} end={end}>
        <div className="stack">
          {now && <div className="row"><StandingTag value={now.standing} />{now.standing === 'attention' && <Link to="/incidents">{t('sites.see_incidents')}</Link>}</div>}
          <dl className="facts">
            <dt>{t('sites.col.kind')}</dt><dd>{site.kind}</dd>
            <dt>{t('sites.col.place')}</dt><dd>{site.place ?? '–'}</dd>
            <dt>{t('sites.position')}</dt><dd className="num">{site.latitude === null || site.longitude === null ? '–' : `${site.latitude.toFixed(5)}, ${site.longitude.toFixed(5)}`}</dd>
            {now && Object.entries(now.by_standing).map(([standing, n]) => (
              <Row key={standing} standing={standing as Standing} n={n} />
            ))}
          </dl>
          {may && !editing && <div className="row"><Button plain onClick={() => setEditing(true)}>{t('sites.change')}</Button></div>}
          {editing && <SiteForm site={site} plans={plans} done={() => setEditing(false)} />}
        </div>
      </Panel>
      <Devices site={site} may={may} />
      {may && <Remove site={site} others={sites.data.items.filter((one) => one.id !== site.id)} close={close} />}
    </div>
  );
}

const Row = ({ standing, n }: { standing: Standing; n: number }) => (
  <><dt><StandingTag value={standing} bare /></dt><dd>{tn('tally.devices', n)}</dd></>
);

function Devices({ site, may }: { site: Site; may: boolean }) {
  const devices = useQuery({ queryKey: ['devices', 'site', site.id], queryFn: async () => (await get<Page<Device>>(`/devices${query({ site: site.id, limit: 200 })}`)).items ?? [] });
  return (
    <Panel title={t('sites.devices')} end={<span className="small quiet num">{site.devices}</span>}>
      <Loaded query={devices} ghost={<Ghost rows={2} />}>
        {(list) => (
          <div className="stack">
            {list.length === 0 ? <p className="soft">{t('sites.no_devices')}</p> : (
              <ul className="stack tight">
                {list.map((device) => <li key={device.id} className="row apart"><Link to="/devices/$id" params={{ id: device.id }} data-row>{device.name}</Link><span className="small quiet">{device.kind ? word('device.kind', device.kind) : ''}</span></li>)}
              </ul>
            )}
            {may && <Assign site={site} />}
          </div>
        )}
      </Loaded>
    </Panel>
  );
}

function Remove({ site, others, close }: { site: Site; others: Site[]; close: () => void }) {
  const [to, setTo] = useState('');
  const act = useAct(() => remove(`/sites/${site.id}${query({ move_to: site.devices > 0 ? to : null })}`), ['sites', 'situation', 'devices'], close);
  return (
    <Panel title={t('sites.remove')}>
      <div className="stack">
        {site.devices > 0 && (
          <label className="stack tight small">
            <span className="strong">{t('sites.move_to')}</span>
            <select className="native" value={to} onChange={(event) => setTo(event.currentTarget.value)}>
              <option value="">{t('sites.move_choose')}</option>
              <option value="none">{t('sites.move_none')}</option>
              {others.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
            </select>
          </label>
        )}
        <div className="row"><Button plain busy={act.isPending} disabled={site.devices > 0 && to === ''} onClick={() => act.mutate()}>{t('sites.remove_do', { name: site.name })}</Button></div>
        {act.isError && <Failed error={act.error} />}
      </div>
    </Panel>
  );
}
