// A playbook as boxes and lines of the drawing library.
import { MarkerType } from '@xyflow/react';
import { t, tn } from '@/strings/pages';
import { workflowOf, text, type Doc } from '../model/document';
import type { Places } from '../model/draft';
import { exitKey, exitsOf, readingOrder } from '../model/exits';
import { layoutOf, STEP_H, STEP_W } from '../model/layout';
import type { Box } from './box';
import { exitWord, stepWord, typeWord, type Mark } from './look';
import type { Way } from './way';

export interface Says {
  marks?: Map<string, Mark> | undefined;
  /** How many faults each step has. */
  faults?: Map<string, number> | undefined;
  /** The look of a way out, by its key: "added", "removed", "lit", "unlit". */
  ways?: ((key: string, from: string, to: string) => string) | undefined;
}

export function boxesOf(doc: Doc, places: Places, says: Says, connectable: boolean): Box[] {
  const flow = workflowOf(doc);
  const { at } = layoutOf(doc);
  return readingOrder(doc).map((id) => {
    const step = flow[id];
    const type = text(step?.type);
    const mark = says.marks?.get(id) ?? null;
    const count = says.faults?.get(id) ?? 0;
    const faults = count > 0 ? tn('edit.faults', count) : null;
    const title = stepWord(id, step);
    return {
      id, type: 'step', position: places[id] ?? at.get(id) ?? { x: 0, y: 0 }, width: STEP_W, height: STEP_H,
      ariaLabel: [`${typeWord(type)}: ${title}`, mark?.word, faults].filter(Boolean).join(', '),
      data: { title, type, kind: typeWord(type), mark, faults, connectable },
    };
  });
}

const SPREAD = 26;
const shift = (index: number, all: number) => Math.max(-STEP_W / 2 + 14, Math.min(STEP_W / 2 - 14, (index - (all - 1) / 2) * Math.min(SPREAD, (STEP_W - 28) / Math.max(1, all - 1))));

export function waysOf(doc: Doc, places: Places, says: Says): Way[] {
  const flow = workflowOf(doc);
  const { at, bends } = layoutOf(doc);
  const middle = (id: string) => (places[id] ?? at.get(id) ?? { x: 0 }).x;
  const all = Object.entries(flow).flatMap(([from, step]) => exitsOf(step).filter((exit) => Object.hasOwn(flow, exit.to)).map((exit) => ({ from, exit, key: exitKey(from, exit) })));
  const order = (list: typeof all, end: (one: (typeof all)[number]) => string) => [...list].sort((a, b) => middle(end(a)) - middle(end(b)));
  return all.map(({ from, exit, key }) => {
    const out = order(all.filter((one) => one.from === from), (one) => one.exit.to);
    const into = order(all.filter((one) => one.exit.to === exit.to), (one) => one.from);
    const pair = out.filter((one) => one.exit.to === exit.to);
    const index = (list: typeof all) => list.findIndex((one) => one.key === key);
    const look = says.ways?.(key, from, exit.to) ?? '';
    const said = look === 'added' || look === 'removed' ? `${exitWord(exit, text(flow[from]?.type))} (${t(look === 'added' ? 'change.added' : 'change.removed')})` : exitWord(exit, text(flow[from]?.type));
    return {
      id: key, type: 'way', source: from, target: exit.to, focusable: false,
      markerEnd: { type: MarkerType.ArrowClosed, markerUnits: 'userSpaceOnUse', width: 18, height: 18, color: 'var(--line-strong)' },
      data: { kind: exit.kind, word: said, look, bends: places[from] || places[exit.to] ? [] : (bends.get(key) ?? []), fromX: shift(index(out), out.length), toX: shift(index(into), into.length), lift: (index(pair) - (pair.length - 1) / 2) * 15 },
    };
  });
}
