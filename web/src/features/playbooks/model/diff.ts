// What a draft changes: steps, and the other parts of the playbook, each with its fields before and after.
import { dictionary, equal, isObj, text, texts, titleOf, workflowOf, type Doc, type Obj } from './document';
import { exitKey, exitsOf } from './exits';

export type Change = 'added' | 'removed' | 'changed';
export interface FieldChange { place: string; before: unknown; after: unknown }
export interface Difference {
  part: 'step' | 'playbook' | 'variable' | 'agent' | 'target' | 'other';
  /** The id, the variable's name, or the property's. */
  key: string;
  title: string;
  change: Change;
  fields: FieldChange[];
}

const DICTIONARIES: Record<string, Difference['part']> = {
  workflow: 'step', playbook_variables: 'variable', agent_definitions: 'agent', target_definitions: 'target',
  authentication_info_definitions: 'other', extension_definitions: 'other', data_marking_definitions: 'other',
};
/** Set by saving itself: not a change anybody made. */
const BY_ITSELF = new Set(['modified']);

export function differences(before: Doc, after: Doc): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !BY_ITSELF.has(name) && !equal(before[name], after[name]));
  const own = names.filter((name) => !Object.hasOwn(DICTIONARIES, name)).map((name): Difference => ({ part: 'playbook', key: name, title: name, change: changeOf(before[name], after[name]), fields: fieldsOf(before[name], after[name], '') }));
  const parts = Object.keys(DICTIONARIES).filter((name) => names.includes(name)).flatMap((name) => entries(name, before, after));
  return [...parts.filter((one) => one.part === 'step'), ...own, ...parts.filter((one) => one.part !== 'step')];
}

function entries(name: string, before: Doc, after: Doc): Difference[] {
  const [was, is] = [dictionary(before, name), dictionary(after, name)];
  const part = DICTIONARIES[name] ?? 'other';
  const title = (id: string) => (part === 'variable' ? id : titleOf(id, is[id] ?? was[id]));
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((id) => !equal(was[id], is[id]))
    .map((id) => ({ part, key: id, title: title(id), change: changeOf(was[id], is[id]), fields: was[id] && is[id] ? fieldsOf(was[id], is[id], '') : [] }));
}

const changeOf = (before: unknown, after: unknown): Change => (before === undefined ? 'added' : after === undefined ? 'removed' : 'changed');

function fieldsOf(before: unknown, after: unknown, place: string): FieldChange[] {
  if (equal(before, after)) return [];
  const inner = (names: string[], of: (value: unknown, name: string) => unknown) => names.flatMap((name) => fieldsOf(of(before, name), of(after, name), place === '' ? name : `${place}/${name}`));
  if (isObj(before) && isObj(after)) return inner([...new Set([...Object.keys(before), ...Object.keys(after)])], (value, name) => (value as Obj)[name]);
  if (Array.isArray(before) && Array.isArray(after)) return inner(Array.from({ length: Math.max(before.length, after.length) }, (_, index) => String(index)), (value, name) => (value as unknown[])[Number(name)]);
  return [{ place, before, after }];
}

/** A step with the ways out it had before beside those it has now. */
function withOld(now: Obj | undefined, before: Obj | undefined): Obj | undefined {
  if (!now || !before) return now ?? before;
  const has = new Set(exitsOf(now).map((exit) => exitKey('', exit)));
  return exitsOf(before).filter((exit) => !has.has(exitKey('', exit))).reduce((step: Obj, exit) => {
    if (exit.kind === 'next') return { ...step, next_steps: [...texts(step.next_steps), exit.to] };
    // Of a case that leads elsewhere now the table alone says where it led.
    if (exit.kind === 'case') return { ...step, cases: { [exit.value ?? '']: exit.to, ...(isObj(step.cases) ? step.cases : {}) } };
    const kept = Array.isArray(step[exit.kind]) ? texts(step[exit.kind]) : [text(step[exit.kind])].filter((to) => to !== '');
    return { ...step, [exit.kind]: [...kept, exit.to] };
  }, now);
}

/** Both versions as one workflow, for one drawing: the draft with the steps and ways out it takes away. */
export function union(before: Doc, after: Doc): { doc: Doc; steps: Map<string, Change>; exits: Map<string, Change> } {
  const [was, is] = [workflowOf(before), workflowOf(after)];
  const steps = new Map(differences(before, after).filter((one) => one.part === 'step').map((one) => [one.key, one.change]));
  const keys = (flow: Record<string, Obj>) => new Set(Object.entries(flow).flatMap(([id, step]) => exitsOf(step).map((exit) => exitKey(id, exit))));
  const [old, now] = [keys(was), keys(is)];
  const exits = new Map<string, Change>([...[...now].filter((key) => !old.has(key)).map((key) => [key, 'added'] as const), ...[...old].filter((key) => !now.has(key)).map((key) => [key, 'removed'] as const)]);
  const flow = Object.fromEntries([...new Set([...Object.keys(is), ...Object.keys(was)])].map((id) => [id, withOld(is[id], was[id])]));
  return { doc: { ...after, workflow: flow, workflow_start: text(after.workflow_start) || text(before.workflow_start) }, steps, exits };
}
