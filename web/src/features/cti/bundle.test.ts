import { describe, expect, it } from 'vitest';
import type { Bundle } from '@/api/types';
import { drawn, graphOf } from './bundle';

const bundle = {
  type: 'bundle',
  id: 'bundle--1',
  objects: [
    { type: 'malware', id: 'malware--1', name: 'Night Heron' },
    { type: 'tool', id: 'tool--1', name: 'Egret Kit' },
    { type: 'marking-definition', id: 'marking-definition--1', name: 'TLP:GREEN' },
    { type: 'relationship', id: 'relationship--1', source_ref: 'malware--1', relationship_type: 'uses', target_ref: 'tool--1' },
    { type: 'relationship', id: 'relationship--2', source_ref: 'malware--1', relationship_type: 'object-marking', target_ref: 'marking-definition--1' },
  ],
} as unknown as Bundle;

describe('the picture of a bundle', () => {
  it('leaves markings out, and every edge that would hang on one', () => {
    const whole = graphOf(bundle);
    expect([whole.nodes.length, whole.edges.length]).toEqual([3, 2]);
    const { nodes, edges } = drawn(whole);
    expect(nodes.map((node) => node.id)).toEqual(['malware--1', 'tool--1']);
    expect(edges.map((edge) => edge.id)).toEqual(['relationship--1']);
  });
});
