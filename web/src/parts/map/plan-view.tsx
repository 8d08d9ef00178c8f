// Sites on a plan of the house.
import { useEffect, useRef, useState } from 'react';
import { layerContent, type Layer, type SiteNow } from '@/api/situation-reads';
import { t } from '@/strings/pages';
import { cluster, type Placed } from './cluster';
import { Markers } from './markers';
import './map.css';

interface PlanViewProps {
  plan: Layer;
  sites: SiteNow[];
  chosen?: string | null;
  onSite: (site: SiteNow) => void;
  /** While a site is being put on the plan: where somebody pointed, 0 to 1. */
  onSpot?: ((x: number, y: number) => void) | undefined;
}

const REACH = 26;

export function PlanView({ plan, sites, chosen = null, onSite, onSpot }: PlanViewProps) {
  const sheet = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = sheet.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const on: Placed[] = sites.flatMap((site) => (site.plan === plan.id && site.plan_x !== null && site.plan_y !== null ? [{ site, x: site.plan_x * size.width, y: site.plan_y * size.height }] : []));
  return (
    <div className={onSpot ? 'map-plan placing' : 'map-plan'} tabIndex={0} role="region" aria-label={t('map.plan_label', { name: plan.name })}>
      <div ref={sheet}>
        <img
          src={layerContent(plan.id)}
          width={plan.width ?? undefined}
          height={plan.height ?? undefined}
          alt={t('map.plan_alt', { name: plan.name })}
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            onSpot?.((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
          }}
        />
        <Markers groups={cluster(on, REACH)} chosen={chosen} onSite={onSite} onGroup={(group) => group.sites[0] && onSite(group.sites[0])} />
      </div>
    </div>
  );
}
