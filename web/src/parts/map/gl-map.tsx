// The map: MapLibre over the bundled world and the layers of the house. No tile, glyph or script comes from elsewhere.
import { addProtocol, LngLatBounds, Map as GlMap, ScaleControl, setWorkerUrl, type GeoJSONSource, type StyleSpecification } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import 'maplibre-gl/dist/maplibre-gl.css';
import { PMTiles, Protocol } from 'pmtiles';
import { useEffect, useRef, useState } from 'react';
import { layerContent, type Layer, type SiteNow } from '@/api/situation-reads';
import { download } from '@/parts/chart/save';
import { t } from '@/strings/pages';
import { cluster, type Group, type Placed } from './cluster';
import { Markers } from './markers';
import { world } from './world';

setWorkerUrl(workerUrl);
const tiles = new Protocol();
addProtocol('pmtiles', tiles.tile);

const REACH = 44;
const MOTION_MS = 150;
/** Nearer than this the bundled outlines (1:50 million) say little. */
const COARSE_FROM = 8;
const ALONE_ZOOM = 6.5;

const token = (element: Element, name: string) => getComputedStyle(element).getPropertyValue(name).trim();

function styleOf(element: Element): StyleSpecification {
  return {
    version: 8,
    sources: { world: { type: 'geojson', data: { type: 'FeatureCollection', features: [] } } },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': token(element, '--map-sea') } },
      { id: 'land', type: 'fill', source: 'world', paint: { 'fill-color': token(element, '--map-land') } },
      { id: 'edge', type: 'line', source: 'world', paint: { 'line-color': token(element, '--map-edge'), 'line-width': 0.8 } },
    ],
  };
}

function boundsOf(sites: SiteNow[]): LngLatBounds | null {
  const bounds = new LngLatBounds();
  for (const site of sites) if (site.longitude !== null && site.latitude !== null) bounds.extend([site.longitude, site.latitude]);
  return bounds.isEmpty() ? null : bounds;
}

const still = () => window.matchMedia('(prefers-reduced-motion: reduce)').matches;

function near(map: GlMap, sites: SiteNow[], at_once = false): void {
  const bounds = boundsOf(sites);
  // One place alone on empty ground says nothing: then with the coast around it.
  const alone = sites.filter((site) => site.longitude !== null).length < 2;
  if (bounds) map.fitBounds(bounds, { padding: 70, maxZoom: alone ? ALONE_ZOOM : 14, duration: at_once || still() ? 0 : MOTION_MS });
}

/** Lines and areas of a layer of the house, under the marks. */
async function addLayer(map: GlMap, box: Element, layer: Layer): Promise<void> {
  const id = `house-${layer.id}`;
  if (map.getSource(id)) return;
  const [line, fill] = [token(box, '--accent'), token(box, '--accent-soft')];
  if (layer.form === 'geojson') {
    map.addSource(id, { type: 'geojson', data: layerContent(layer.id) });
    map.addLayer({ id: `${id}-fill`, type: 'fill', source: id, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': fill, 'fill-opacity': 0.4 } });
    map.addLayer({ id: `${id}-line`, type: 'line', source: id, paint: { 'line-color': line, 'line-width': 1.5 } });
    map.addLayer({ id: `${id}-spot`, type: 'circle', source: id, filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-color': line, 'circle-radius': 3 } });
    return;
  }
  const url = new URL(layerContent(layer.id), window.location.href).href;
  const archive = new PMTiles(url);
  tiles.add(archive);
  const header = await archive.getHeader();
  if (header.tileType !== 1) {
    map.addSource(id, { type: 'raster', url: `pmtiles://${url}`, tileSize: 256 });
    map.addLayer({ id: `${id}-raster`, type: 'raster', source: id });
    return;
  }
  const metadata = (await archive.getMetadata()) as { vector_layers?: { id: string }[] };
  map.addSource(id, { type: 'vector', url: `pmtiles://${url}` });
  for (const { id: name } of metadata.vector_layers ?? []) {
    map.addLayer({ id: `${id}-${name}-fill`, type: 'fill', source: id, 'source-layer': name, filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': token(box, '--surface-3'), 'fill-opacity': 0.5 } });
    map.addLayer({ id: `${id}-${name}-line`, type: 'line', source: id, 'source-layer': name, paint: { 'line-color': token(box, '--map-edge'), 'line-width': 0.8 } });
  }
}

/** The map with its marks as a picture. */
function savePng(map: GlMap, groups: Group[], box: HTMLElement): void {
  const source = map.getCanvas();
  const canvas = document.createElement('canvas');
  canvas.width = source.width;
  canvas.height = source.height;
  const context = canvas.getContext('2d');
  if (!context) return;
  const scale = source.width / box.clientWidth;
  context.drawImage(source, 0, 0);
  context.scale(scale, scale);
  context.font = `600 12px ${token(box, '--sans') || 'sans-serif'}`;
  for (const group of groups) {
    const tone = { attention: 'critical', not_enforced: 'high', blocked: 'medium', contained: 'accent', unwatched: 'medium', learning: 'accent', well: 'good', empty: 'low' }[group.standing];
    const text = group.sites.length === 1 ? (group.sites[0]?.name ?? '') : String(group.sites.length);
    context.beginPath();
    context.arc(group.x, group.y, 5, 0, 2 * Math.PI);
    context.fillStyle = token(box, `--${tone}`);
    context.fill();
    context.lineWidth = 3;
    context.strokeStyle = token(box, '--surface');
    context.strokeText(text, group.x + 9, group.y + 4);
    context.fillStyle = token(box, '--text');
    context.fillText(text, group.x + 9, group.y + 4);
  }
  canvas.toBlob((blob) => blob && download('sites.png', blob));
}

interface GlMapProps {
  sites: SiteNow[];
  layers: Layer[];
  chosen: string | null;
  onSite: (site: SiteNow) => void;
  onBroken: (why: string) => void;
}

export default function GlMapView({ sites, layers, chosen, onSite, onBroken }: GlMapProps) {
  const ground = useRef<HTMLDivElement>(null);
  const map = useRef<GlMap | null>(null);
  const placed = useRef(sites);
  placed.current = sites;
  const broken = useRef(onBroken);
  broken.current = onBroken;
  const [ready, setReady] = useState(false);
  const [groups, setGroups] = useState<Group[]>([]);
  const [coarse, setCoarse] = useState(false);
  const arrange = useRef(() => undefined as void);
  arrange.current = () => {
    const now = map.current;
    if (!now) return;
    const [width, height] = [now.getContainer().clientWidth, now.getContainer().clientHeight];
    const on: Placed[] = placed.current.flatMap((site) => {
      if (site.longitude === null || site.latitude === null) return [];
      const { x, y } = now.project([site.longitude, site.latitude]);
      return x >= 0 && y >= 0 && x <= width && y <= height ? [{ site, x, y }] : [];
    });
    setGroups(cluster(on, REACH));
    setCoarse(now.getZoom() > COARSE_FROM);
  };
  useEffect(() => {
    const box = ground.current;
    if (!box) return;
    let now: GlMap;
    try {
      now = new GlMap({ container: box, style: styleOf(box), attributionControl: false, canvasContextAttributes: { preserveDrawingBuffer: true }, renderWorldCopies: false, center: [5, 46], zoom: 3, maxZoom: 19, fadeDuration: 0, pitchWithRotate: false, dragRotate: false });
    } catch {
      broken.current(t('map.no_webgl'));
      return;
    }
    map.current = now;
    now.getCanvas().setAttribute('aria-label', t('map.canvas'));
    now.addControl(new ScaleControl({ maxWidth: 90, unit: 'metric' }), 'bottom-right');
    now.touchZoomRotate.disableRotation();
    let waiting = 0;
    now.on('move', () => {
      waiting ||= requestAnimationFrame(() => {
        waiting = 0;
        arrange.current();
      });
    });
    now.on('load', () => {
      setReady(true);
      near(now, placed.current, true);
      arrange.current();
      world(true).then((shape) => (now.getSource('world') as GeoJSONSource | undefined)?.setData(shape), () => undefined);
    });
    now.on('webglcontextlost', () => broken.current(t('map.no_webgl')));
    const repaint = () => {
      for (const { id, type, paint } of styleOf(box).layers) {
        if (type === 'background' || type === 'fill' || type === 'line') for (const [name, value] of Object.entries(paint ?? {})) now.setPaintProperty(id, name as 'fill-color', value);
      }
    };
    const theme = new MutationObserver(() => ready.current && repaint());
    const ready = { get current() { return now.isStyleLoaded(); } };
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-mantine-color-scheme'] });
    return () => {
      theme.disconnect();
      cancelAnimationFrame(waiting);
      map.current = null;
      now.remove();
    };
  }, []);
  useEffect(() => arrange.current(), [sites, ready]);
  useEffect(() => {
    const now = map.current;
    const box = ground.current;
    if (!now || !box || !ready) return;
    for (const layer of layers) if (layer.form !== 'plan') addLayer(now, box, layer).catch(() => undefined);
  }, [layers, ready]);
  const tool = (sign: string, name: string, act: (now: GlMap) => void) => (
    <button type="button" aria-label={name} title={name} onClick={() => map.current && act(map.current)}>{sign}</button>
  );
  const motion = () => ({ duration: still() ? 0 : MOTION_MS });
  return (
    <>
      <div ref={ground} className="map-ground" />
      <Markers groups={groups} chosen={chosen} onSite={onSite} onGroup={(group) => map.current && near(map.current, group.sites)} />
      {coarse && !layers.some((layer) => layer.form !== 'plan') && <div className="map-note">{t('map.coarse')}</div>}
      <div className="map-tools">
        {tool('+', t('map.closer'), (now) => now.zoomIn(motion()))}
        {tool('−', t('map.farther'), (now) => now.zoomOut(motion()))}
        {tool('⤢', t('map.all'), (now) => near(now, sites))}
        {tool('⤓', t('map.png'), (now) => ground.current && savePng(now, groups, ground.current))}
      </div>
    </>
  );
}
