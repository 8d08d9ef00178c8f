// What stands in relation, as the graph takes it.
import type { Bundle, IntelItem, IntelRelations } from '@/api/types';

export type Near = Pick<IntelRelations, 'relations' | 'objects'>;

export function bundleOf(near: Near): Bundle {
  const objects = near.objects.map((one) => ({ type: one.type, id: one.id, name: one.name }));
  const edges = near.relations.map((one, index) => ({ type: 'relationship', id: `edge-${index}`, source_ref: one.origin, relationship_type: one.kind, target_ref: one.target }));
  return { type: 'bundle', id: 'bundle--near', objects: [...objects, ...edges] } as unknown as Bundle;
}

/** Several neighbourhoods as one: each object and each relation once, at most so many objects, those of the first parts first. */
export function joined(parts: Near[], most: number): Near & { cut: number } {
  const objects = new Map<string, IntelItem>();
  const relations = new Map<string, Near['relations'][number]>();
  for (const part of parts) {
    for (const one of part.objects) if (!objects.has(one.id)) objects.set(one.id, one);
    for (const one of part.relations) relations.set(`${one.origin} ${one.kind} ${one.target}`, one);
  }
  const kept = [...objects.values()].slice(0, most);
  const ids = new Set(kept.map((one) => one.id));
  return { objects: kept, relations: [...relations.values()].filter((one) => ids.has(one.origin) && ids.has(one.target)), cut: objects.size - kept.length };
}
