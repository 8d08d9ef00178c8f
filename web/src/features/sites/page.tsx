// Where devices stand: the map, a plan, and the same as a table.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { situationReads, type Layer, type SiteNow } from '@/api/situation-reads';
import { useMay } from '@/app/session';
import { Guide } from '@/parts/empty';
import { PlanView } from '@/parts/map/plan-view';
import { SiteMap } from '@/parts/map/site-map';
import { Loaded, PageView, Panel } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { rankOf, StandingTag } from '@/parts/standing';
import { DataTable, type Column } from '@/parts/table';
import { t, tn } from '@/strings/pages';
import { Button } from '@/parts/button';
import { Layers } from './layers';
import { SitePanel } from './site-panel';
import { Transfer } from './transfer';

const columns: Column<SiteNow>[] = [
  { id: 'name', head: t('sites.col.name'), cell: (row) => row.name, sort: (row) => row.name.toLowerCase() },
  { id: 'standing', head: t('sites.col.standing'), cell: (row) => <StandingTag value={row.standing} />, sort: (row) => rankOf(row.standing) },
  { id: 'kind', head: t('sites.col.kind'), cell: (row) => row.kind, sort: (row) => row.kind },
  { id: 'place', head: t('sites.col.place'), cell: (row) => row.place ?? '–', sort: (row) => row.place ?? '' },
  { id: 'devices', head: t('sites.col.devices'), cell: (row) => row.devices, sort: (row) => row.devices, right: true },
];

interface Search {
  view?: string;
  site?: string;
}

export function SitesPage() {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const may = useMay('assets.write');
  const now = useQuery(situationReads.now());
  const layers = useQuery(situationReads.layers());
  const go = (change: Search) => {
    const next = Object.fromEntries(Object.entries({ ...search, ...change }).filter(([, value]) => value));
    void navigate({ to: '/sites', search: next });
  };
  const sites = now.data?.sites ?? [];
  const plans = (layers.data ?? []).filter((layer) => layer.form === 'plan');
  const chosen = sites.find((site) => site.id === search.site) ?? null;
  const calling = sites.filter((site) => site.standing === 'attention' || site.standing === 'not_enforced').length;
  const title = !now.data ? t('nav.sites') : calling > 0 ? tn('sites.title_calling', calling) : sites.length > 0 ? tn('sites.title_calm', sites.length) : t('sites.title_none');
  const view = search.view ?? 'map';
  const open = (site: SiteNow) => go({ site: site.id });
  return (
    <PageView
      title={title}
      lead={t('sites.lead')}
      actions={
        <>
          <Segments label={t('sites.view')} value={view} options={[['map', t('sites.view.map')], ...plans.map((plan) => [plan.id, plan.name] as const), ['manage', t('sites.view.manage')]]} onChange={(next) => go({ view: next === 'map' ? '' : next })} />
          {may && <Button onClick={() => go({ site: 'new' })}>{t('sites.new')}</Button>}
        </>
      }
    >
      <Loaded query={now}>
        {({ missing }) => (
          <div className={search.site ? 'cols' : 'stack wide'}>
            <div className="stack wide">
              {view === 'manage' ? <Manage layers={layers.data ?? []} /> : <Ground view={view} sites={sites} layers={layers.data ?? []} plans={plans} chosen={chosen?.id ?? null} onSite={open} />}
              <section className="panel">
                {sites.length === 0 ? (
                  <Guide name="sites" missing={missing.includes('sites')} action={may && <Button onClick={() => go({ site: 'new' })}>{t('sites.new')}</Button>} />
                ) : (
                  <DataTable rows={sites} columns={columns} caption={t('nav.sites')} rowKey={(row) => row.id} door={(row) => ({ to: '/sites', search: { ...search, site: row.id } })} />
                )}
              </section>
            </div>
            {search.site && <SitePanel key={search.site} id={search.site} now={chosen} plans={plans} close={() => go({ site: '' })} open={(id) => go({ site: id })} />}
          </div>
        )}
      </Loaded>
    </PageView>
  );
}

interface GroundProps {
  view: string;
  sites: SiteNow[];
  layers: Layer[];
  plans: Layer[];
  chosen: string | null;
  onSite: (site: SiteNow) => void;
}

function Ground({ view, sites, layers, plans, chosen, onSite }: GroundProps) {
  const plan = plans.find((one) => one.id === view);
  const placed = sites.filter((site) => (plan ? site.plan === plan.id : site.latitude !== null)).length;
  const without = sites.length - placed;
  return (
    <Panel flush title={plan ? plan.name : t('sites.map')} end={<span className="small quiet">{without > 0 ? tn('sites.without', without) : t('sites.twin')}</span>}>
      {plan ? <PlanView plan={plan} sites={sites} chosen={chosen} onSite={onSite} /> : <SiteMap sites={sites} layers={layers} chosen={chosen} onSite={onSite} />}
    </Panel>
  );
}

function Manage({ layers }: { layers: Layer[] }) {
  return (
    <div className="cols even">
      <Layers layers={layers} />
      <Transfer />
    </div>
  );
}
