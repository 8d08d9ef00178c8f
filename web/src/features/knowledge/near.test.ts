import { describe, expect, it } from 'vitest';
import type { IntelItem } from '@/api/types';
import { joined, type Near } from './near';

const object = (id: string) => ({ id, type: 'malware', name: id }) as IntelItem;
const relation = (origin: string, target: string) => ({ origin, target, kind: 'uses', told_by: 'x', known_at: '' });
const part = (ids: string[], relations: [string, string][]): Near => ({ objects: ids.map(object), relations: relations.map(([a, b]) => relation(a, b)) });

describe('neighbourhoods', () => {
  it('are joined without doubles', () => {
    const both = joined([part(['a', 'b'], [['a', 'b']]), part(['b', 'c'], [['a', 'b'], ['b', 'c']])], 10);
    expect(both.objects.map((one) => one.id)).toEqual(['a', 'b', 'c']);
    expect(both.relations).toHaveLength(2);
    expect(both.cut).toBe(0);
  });

  it('keep no relation whose end was cut, and say how many were', () => {
    const both = joined([part(['a', 'b'], [['a', 'b']]), part(['c'], [['b', 'c']])], 2);
    expect(both.objects.map((one) => one.id)).toEqual(['a', 'b']);
    expect(both.relations.map((one) => one.target)).toEqual(['b']);
    expect(both.cut).toBe(1);
  });
});
