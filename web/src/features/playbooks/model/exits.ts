// Where a step leads, each way out with its own word and form.
import { text, texts, isObj, workflowOf, type Doc, type Obj } from './document';

export const EXIT_KINDS = ['on_completion', 'on_success', 'on_failure', 'on_true', 'on_false', 'case', 'next'] as const;
export type ExitKind = (typeof EXIT_KINDS)[number];

export interface Exit {
  kind: ExitKind;
  to: string;
  /** Of a case: the value it stands for. */
  value?: string;
}

const PLAIN = ['on_completion', 'on_success', 'on_failure'] as const;
const AFTER: readonly ExitKind[] = PLAIN;

/** The ways out a type of step may have; those its type is about come first. */
export function exitKinds(type: string): readonly ExitKind[] {
  switch (type) {
    case 'end':
      return [];
    case 'if-condition':
      return ['on_true', 'on_false', ...AFTER];
    case 'while-condition':
      return ['on_true', ...AFTER];
    case 'switch-condition':
      return ['case', ...AFTER];
    case 'parallel':
      return ['next', ...AFTER];
    default:
      return AFTER;
  }
}

/** All ways out of a step that are set. */
export function exitsOf(step: Obj | undefined): Exit[] {
  if (!step) return [];
  const single = (kind: 'on_true' | 'on_false' | (typeof PLAIN)[number]): Exit[] =>
    // Older playbooks name a list where the standard has one step.
    (Array.isArray(step[kind]) ? texts(step[kind]) : [text(step[kind])]).filter((to) => to !== '').map((to) => ({ kind, to }));
  const cases = isObj(step.cases) ? Object.entries(step.cases).flatMap(([value, to]) => (typeof to === 'string' ? [{ kind: 'case' as const, to, value }] : [])) : [];
  const next = texts(step.next_steps).map((to) => ({ kind: 'next' as const, to }));
  return [...single('on_true'), ...single('on_false'), ...cases, ...next, ...PLAIN.flatMap(single)];
}

/** The identity of a way out in the drawing. */
export const exitKey = (from: string, exit: Exit): string => `${from} ${exit.kind}${exit.value === undefined ? '' : `=${exit.value}`} ${exit.to}`;

/** Ids in the order a reader meets them from the start, then those nothing leads to. */
export function readingOrder(doc: Doc): string[] {
  const flow = workflowOf(doc);
  const seen = new Set<string>();
  const open = [text(doc.workflow_exception), text(doc.workflow_start)];
  while (open.length > 0) {
    const id = open.pop() ?? '';
    if (seen.has(id) || !Object.hasOwn(flow, id)) continue;
    seen.add(id);
    open.push(...exitsOf(flow[id]).map((exit) => exit.to).reverse());
  }
  return [...seen, ...Object.keys(flow).filter((id) => !seen.has(id))];
}

/** Steps that lead to this one. */
export function leadingTo(doc: Doc, id: string): { from: string; exit: Exit }[] {
  return Object.entries(workflowOf(doc)).flatMap(([from, step]) => exitsOf(step).filter((exit) => exit.to === id).map((exit) => ({ from, exit })));
}
