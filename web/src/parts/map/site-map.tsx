// Sites on the map of the world; where the machine cannot draw it, on the same world as outlines.
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import type { Layer, SiteNow } from '@/api/situation-reads';
import { t } from '@/strings/pages';
import { FlatWorld } from './flat-world';
import './map.css';

const GlMapView = lazy(() => import('./gl-map'));

let known: boolean | undefined;

/** Whether this browser can draw the map at all; asked once. */
function webgl(): boolean {
  if (known === undefined) {
    try {
      const context = document.createElement('canvas').getContext('webgl2');
      known = context !== null;
      context?.getExtension('WEBGL_lose_context')?.loseContext();
    } catch {
      known = false;
    }
  }
  return known;
}

interface SiteMapProps {
  sites: SiteNow[];
  layers?: Layer[];
  chosen?: string | null;
  small?: boolean;
  onSite: (site: SiteNow) => void;
}

const NO_LAYERS: Layer[] = [];

export function SiteMap({ sites, layers = NO_LAYERS, chosen = null, small, onSite }: SiteMapProps) {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 640, height: 400 });
  const [broken, setBroken] = useState<string | null>(() => (webgl() ? null : t('map.no_webgl')));
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  return (
    <div ref={box} className={small ? 'map-box small' : 'map-box'}>
      {broken ? (
        <FlatWorld sites={sites} size={size} chosen={chosen} onSite={onSite} why={broken} />
      ) : (
        <Suspense fallback={<div className="ghost" style={{ height: '100%' }} role="status" aria-label={t('map.loading')} />}>
          <GlMapView sites={sites} layers={layers} chosen={chosen} onSite={onSite} onBroken={setBroken} />
        </Suspense>
      )}
    </div>
  );
}
