// The bundled world (Natural Earth, public domain, as packed by world-atlas): fetched when a map is looked at.
import type { FeatureCollection, MultiPolygon, Polygon } from 'geojson';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import small from 'world-atlas/countries-110m.json?url';
import large from 'world-atlas/countries-50m.json?url';

export type World = FeatureCollection<Polygon | MultiPolygon>;

const asked = new Map<string, Promise<World>>();

/** Countries of the world; `fine` is for a map that zooms. */
export function world(fine: boolean): Promise<World> {
  const url = fine ? large : small;
  let answer = asked.get(url);
  if (!answer) {
    answer = fetch(url).then(async (response) => {
      if (!response.ok) throw new Error(`${response.status}`);
      const topology = (await response.json()) as Topology<{ countries: GeometryCollection }>;
      return feature(topology, topology.objects.countries) as World;
    });
    answer.catch(() => asked.delete(url));
    asked.set(url, answer);
  }
  return answer;
}

/** Spherical Mercator, as the map draws: 0 to 1 from the upper left corner. */
export function mercator(longitude: number, latitude: number): [number, number] {
  const bounded = Math.max(-85.05, Math.min(85.05, latitude));
  const sine = Math.sin((bounded * Math.PI) / 180);
  return [longitude / 360 + 0.5, 0.5 - (0.25 * Math.log((1 + sine) / (1 - sine))) / Math.PI];
}

/** The part of the world that shows all sites, with some room around them: left, top and side of a square. */
export function frameOf(points: [number, number][]): { left: number; top: number; side: number } {
  if (points.length === 0) return { left: 0, top: 0, side: 1 };
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const side = Math.min(1, Math.max(0.0004, (Math.max(...xs) - Math.min(...xs)) * 1.4, (Math.max(...ys) - Math.min(...ys)) * 1.4));
  const middle = (all: number[]) => (Math.max(...all) + Math.min(...all)) / 2;
  return { left: middle(xs) - side / 2, top: middle(ys) - side / 2, side };
}
