// A STIX 2.1 bundle as nodes and edges.
import type { Bundle, StixObject } from '@/api/types';
import { t, word } from '@/strings/pages';

export interface GraphNode {
  id: string;
  type: string;
  label: string;
  group: Group;
}

export interface GraphEdge {
  id: string;
  from: string;
  to: string;
  label: string;
}

/** What an object is, roughly: decides shape and colour in the graph. */
export type Group = 'who' | 'threat' | 'seen' | 'incident' | 'answer' | 'marking' | 'other';

const GROUPS: Record<string, Group> = {
  identity: 'who', 'threat-actor': 'threat', malware: 'threat', 'attack-pattern': 'threat', indicator: 'threat', infrastructure: 'threat',
  'observed-data': 'seen', sighting: 'seen', 'ipv4-addr': 'seen', 'ipv6-addr': 'seen', 'network-traffic': 'seen', 'mac-addr': 'seen', 'domain-name': 'seen',
  incident: 'incident', 'course-of-action': 'answer', 'marking-definition': 'marking', 'extension-definition': 'marking',
};

export const groupOf = (type: string): Group => GROUPS[type] ?? 'other';

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The name people know an object by. */
export function nameOf(object: StixObject): string {
  const port = typeof object.dst_port === 'number' ? ` ${object.dst_port}` : '';
  const protocols = Array.isArray(object.protocols) ? `${object.protocols.join('/')}${port}` : null;
  const count = typeof object.count === 'number' ? t('bundle.seen', { n: object.count }) : null;
  return textOf(object.name) ?? textOf(object.value) ?? protocols ?? count ?? word('stix', object.type);
}

/** References that become edges, beside relationship objects; markings and authors would only be noise. */
const REFS = ['sighting_of_ref', 'src_ref', 'dst_ref', 'resolves_to_refs', 'object_refs', 'observed_data_refs', 'where_sighted_refs'] as const;

export function graphOf(bundle: Bundle): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const nodes = bundle.objects
    .filter((object) => object.type !== 'relationship')
    .map((object) => ({ id: object.id, type: object.type, label: nameOf(object), group: groupOf(object.type) }));
  const known = new Set(nodes.map((node) => node.id));
  const edges: GraphEdge[] = [];
  const join = (id: string, from: unknown, to: unknown, label: string) => {
    if (typeof from === 'string' && typeof to === 'string' && known.has(from) && known.has(to)) edges.push({ id, from, to, label });
  };
  for (const object of bundle.objects) {
    if (object.type === 'relationship') {
      join(object.id, object.source_ref, object.target_ref, textOf(object.relationship_type) ?? '');
      continue;
    }
    for (const ref of REFS) {
      const value = object[ref];
      for (const target of Array.isArray(value) ? value : [value]) join(`${object.id}/${ref}/${String(target)}`, object.id, target, ref.replace(/_refs?$/, '').replaceAll('_', ' '));
    }
  }
  return { nodes, edges };
}

/** What the picture holds: markings apply to every object and would only float beside it. An edge needs both its ends. */
export function drawn({ nodes, edges }: { nodes: GraphNode[]; edges: GraphEdge[] }): { nodes: GraphNode[]; edges: GraphEdge[] } {
  const shown = nodes.filter((node) => node.group !== 'marking');
  const ids = new Set(shown.map((node) => node.id));
  return { nodes: shown, edges: edges.filter((edge) => ids.has(edge.from) && ids.has(edge.to)) };
}
