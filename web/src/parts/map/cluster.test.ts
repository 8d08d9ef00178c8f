import { describe, expect, it } from 'vitest';
import type { Standing } from '@/api/situation-reads';
import { cluster, neighbour, type Placed } from './cluster';

const at = (id: string, x: number, y: number, standing: Standing = 'well'): Placed => ({
  site: { id, name: id, kind: 'office', place: null, latitude: 0, longitude: 0, plan: null, plan_x: null, plan_y: null, standing, devices: 1, by_standing: {} },
  x,
  y,
});

describe('sites near each other', () => {
  it('are one group that stands as its worst site, also across the lines of the grid', () => {
    const groups = cluster([at('a', 39, 39), at('b', 41, 41, 'attention'), at('c', 200, 39)], 40);
    expect(groups.map((group) => [group.key, group.sites.length, group.standing])).toEqual([['a', 2, 'attention'], ['c', 1, 'well']]);
  });
  it('loses none of five thousand', () => {
    const many = Array.from({ length: 5000 }, (_, n) => at(String(n), (n * 37) % 900, (n * 91) % 600));
    const groups = cluster(many, 40);
    expect(groups.reduce((sum, group) => sum + group.sites.length, 0)).toBe(5000);
    expect(groups.length).toBeLessThan(500);
  });
});

describe('arrow keys', () => {
  const groups = cluster([at('middle', 100, 100), at('east', 180, 110), at('far', 400, 100), at('north', 90, 20)], 30);
  it('lead to the nearest group that lies that way', () => {
    expect(neighbour(groups, 'middle', 'ArrowRight')?.key).toBe('east');
    expect(neighbour(groups, 'middle', 'ArrowUp')?.key).toBe('north');
    expect(neighbour(groups, 'middle', 'ArrowLeft')).toBeNull();
    expect(neighbour(groups, 'far', 'ArrowLeft')?.key).toBe('east');
  });
});
