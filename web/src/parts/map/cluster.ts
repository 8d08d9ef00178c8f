// Sites near each other on the screen are shown as one: pure, so that it can be tried without a map.
import type { SiteNow, Standing } from '@/api/situation-reads';
import { worstOf } from '@/parts/standing';

export interface Placed {
  site: SiteNow;
  /** Pixels from the upper left corner. */
  x: number;
  y: number;
}

export interface Group {
  key: string;
  x: number;
  y: number;
  sites: SiteNow[];
  standing: Standing;
}

/** Groups drawn at most; a map of more would be slower to read than the table. */
export const MAX_GROUPS = 200;

/** What lies within `reach` pixels of a group's first site joins it; the worst sites come first and give the place. */
export function cluster(placed: Placed[], reach: number): Group[] {
  const groups: Group[] = [];
  const cells = new Map<string, Group[]>();
  const cell = (x: number, y: number) => `${Math.floor(x / reach)}:${Math.floor(y / reach)}`;
  for (const { site, x, y } of placed) {
    let home: Group | undefined;
    for (let dx = -1; dx <= 1 && !home; dx += 1) {
      for (let dy = -1; dy <= 1 && !home; dy += 1) {
        home = cells.get(cell(x + dx * reach, y + dy * reach))?.find((group) => Math.hypot(group.x - x, group.y - y) < reach);
      }
    }
    if (home) {
      home.sites.push(site);
      home.standing = worstOf([home.standing, site.standing]);
      continue;
    }
    const group = { key: site.id, x, y, sites: [site], standing: site.standing };
    groups.push(group);
    const key = cell(x, y);
    cells.set(key, [...(cells.get(key) ?? []), group]);
  }
  return groups;
}

/** The neighbour an arrow key leads to: the nearest whose direction is more that way than another. */
export function neighbour(groups: Group[], from: string, key: string): Group | null {
  const here = groups.find((group) => group.key === from);
  const ways: Record<string, [number, number]> = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const way = ways[key];
  if (!here || !way) return null;
  const ahead = (group: Group) => (group.x - here.x) * way[0] + (group.y - here.y) * way[1];
  const beside = (group: Group) => Math.abs((group.x - here.x) * way[1] + (group.y - here.y) * way[0]);
  const candidates = groups.filter((group) => group !== here && ahead(group) > 0 && beside(group) <= ahead(group));
  return candidates.reduce<Group | null>((best, group) => (best === null || ahead(group) + beside(group) < ahead(best) + beside(best) ? group : best), null);
}
