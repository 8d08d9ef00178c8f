// The world without WebGL: outlines as SVG and the same marks. No zooming by wheel; the sites' part of the world is shown.
import { useEffect, useMemo, useState } from 'react';
import type { SiteNow } from '@/api/situation-reads';
import { t } from '@/strings/pages';
import { cluster, type Placed } from './cluster';
import { Markers } from './markers';
import { frameOf, mercator, world, type World } from './world';

const REACH = 44;

function path(shape: World, { left, top, side }: { left: number; top: number; side: number }, width: number, height: number): string {
  const scale = Math.min(width, height) / side;
  const [dx, dy] = [(width - side * scale) / 2, (height - side * scale) / 2];
  const ring = (points: number[][]) => `${points.map(([east = 0, north = 0], at) => {
    const [x, y] = mercator(east, north);
    return `${at === 0 ? 'M' : 'L'}${((x - left) * scale + dx).toFixed(1)} ${((y - top) * scale + dy).toFixed(1)}`;
  }).join('')}Z`;
  return shape.features.map(({ geometry }) => (geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat()).map(ring).join('')).join('');
}

export function FlatWorld({ sites, size, chosen, onSite, why }: { sites: SiteNow[]; size: { width: number; height: number }; chosen: string | null; onSite: (site: SiteNow) => void; why: string | null }) {
  const [shape, setShape] = useState<World | null>(null);
  const [near, setNear] = useState<SiteNow[] | null>(null);
  useEffect(() => {
    let here = true;
    world(false).then((answer) => here && setShape(answer), () => undefined);
    return () => {
      here = false;
    };
  }, []);
  const { width, height } = size;
  const view = useMemo(() => {
    const placed = (near ?? sites).filter((site) => site.latitude !== null && site.longitude !== null);
    const points = placed.map((site) => mercator(site.longitude ?? 0, site.latitude ?? 0));
    const frame = frameOf(points);
    const scale = Math.min(width, height) / frame.side;
    const [dx, dy] = [(width - frame.side * scale) / 2, (height - frame.side * scale) / 2];
    const on: Placed[] = placed.map((site, at) => ({ site, x: ((points[at]?.[0] ?? 0) - frame.left) * scale + dx, y: ((points[at]?.[1] ?? 0) - frame.top) * scale + dy }));
    return { frame, groups: cluster(on, REACH) };
  }, [sites, near, width, height]);
  return (
    <>
      <svg className="map-ground" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t('map.world')}>
        {shape && <path d={path(shape, view.frame, width, height)} fill="var(--map-land)" stroke="var(--map-edge)" strokeWidth={0.7} />}
      </svg>
      <Markers groups={view.groups} chosen={chosen} onSite={onSite} onGroup={(group) => setNear(group.sites)} />
      {near && <div className="map-tools"><button type="button" onClick={() => setNear(null)} aria-label={t('map.all')} title={t('map.all')}>⤢</button></div>}
      {why && <div className="map-note">{why}</div>}
    </>
  );
}
