// What a person does to a workflow. Every act gives a new playbook; nothing it does not name is touched.
import { dictionary, isObj, setAt, text, texts, workflowOf, type Doc, type Obj, type StepType } from './document';
import { exitKinds, exitsOf, leadingTo, type Exit, type ExitKind } from './exits';

const hex = (byte: number) => byte.toString(16).padStart(2, '0');

/** A random UUID (version 4); `randomUUID` is missing where the console is not served over TLS. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const all = [...bytes].map(hex).join('');
  return [all.slice(0, 8), all.slice(8, 12), all.slice(12, 16), all.slice(16, 20), all.slice(20)].join('-');
}

export const newId = (type: string): string => `${type}--${uuid()}`;

/** A playbook with nothing in it but a start that leads to an end. */
export function emptyPlaybook(author: string, now: string): Doc {
  const [start, end] = [newId('start'), newId('end')];
  return {
    type: 'playbook', spec_version: 'cacao-2.0', id: newId('playbook'), name: '', created_by: author, created: now, modified: now, workflow_start: start,
    workflow: { [start]: { type: 'start', on_completion: end }, [end]: { type: 'end' } },
  };
}

function blank(type: StepType): Obj {
  switch (type) {
    case 'action':
      return { type, name: '', commands: [], agent: '' };
    case 'playbook-action':
      return { type, name: '', playbook_id: '' };
    case 'parallel':
      return { type, name: '', next_steps: [] };
    case 'switch-condition':
      return { type, name: '', switch: '', cases: {} };
    case 'if-condition':
    case 'while-condition':
      return { type, name: '', condition: '' };
    default:
      return { type };
  }
}

/** Adds a step; behind `after` it takes that step's way on, which then leads out of the new one. */
export function addStep(doc: Doc, type: StepType, id: string, after?: string): Doc {
  let next = setAt(doc, ['workflow', id], blank(type));
  if (type === 'start' && text(doc.workflow_start) === '') return setAt(next, ['workflow_start'], id);
  const before = after === undefined ? undefined : workflowOf(doc)[after];
  if (after === undefined || !before) return next;
  const kind = wayOn(before);
  if (!kind || type === 'start') return next;
  const old = exitsOf(before).find((exit) => exit.kind === kind)?.to;
  next = connect(next, after, { kind, to: id });
  return old && exitKinds(type).includes('on_completion') ? connect(next, id, { kind: 'on_completion', to: old }) : next;
}

/** The way out a step behind this one is hung on. */
function wayOn(step: Obj): ExitKind | undefined {
  const kinds = exitKinds(text(step.type));
  const taken = new Set(exitsOf(step).map((exit) => exit.kind));
  const first = kinds[0];
  if ((first === 'on_true' || first === 'next') && !taken.has(first)) return first;
  if (!taken.has('on_completion') && taken.has('on_success')) return 'on_success';
  return kinds.includes('on_completion') ? 'on_completion' : undefined;
}

/** Sets a way out; of cases and parallel steps there may be several. */
export function connect(doc: Doc, from: string, exit: Exit): Doc {
  const path = ['workflow', from];
  if (exit.kind === 'case') return setAt(doc, [...path, 'cases', exit.value ?? ''], exit.to);
  if (exit.kind !== 'next') return setAt(doc, [...path, exit.kind], exit.to);
  const now = texts(workflowOf(doc)[from]?.next_steps);
  return now.includes(exit.to) ? doc : setAt(doc, [...path, 'next_steps'], [...now, exit.to]);
}

export function disconnect(doc: Doc, from: string, exit: Exit): Doc {
  const path = ['workflow', from];
  const step = workflowOf(doc)[from];
  if (exit.kind === 'case') return setAt(doc, [...path, 'cases', exit.value ?? ''], undefined);
  if (exit.kind === 'next') return setAt(doc, [...path, 'next_steps'], texts(step?.next_steps).filter((to) => to !== exit.to));
  const many = texts(step?.[exit.kind]).filter((to) => to !== exit.to);
  return setAt(doc, [...path, exit.kind], many.length > 0 ? many : undefined);
}

/** Takes a step out. Where it led on to one step, those that led to it now lead there. */
export function removeStep(doc: Doc, id: string): Doc {
  const on = exitsOf(workflowOf(doc)[id]).filter((exit) => exit.kind === 'on_completion' && exit.to !== id);
  const heir = on.length === 1 ? on[0]?.to : undefined;
  let next = doc;
  for (const { from, exit } of leadingTo(doc, id)) {
    if (from === id) continue;
    if (!heir || heir === from) next = disconnect(next, from, exit);
    // A branch keeps its place among those that run at the same time.
    else if (exit.kind === 'next') next = setAt(next, ['workflow', from, 'next_steps'], [...new Set(texts(workflowOf(next)[from]?.next_steps).map((to) => (to === id ? heir : to)))]);
    else next = connect(next, from, { ...exit, to: heir });
  }
  for (const name of ['workflow_start', 'workflow_exception']) if (next[name] === id) next = setAt(next, [name], undefined);
  return setAt(next, ['workflow', id], undefined);
}

/** What would be lost with a step: nothing, where it says nothing yet. */
export function holdsSomething(step: Obj | undefined): boolean {
  const own = new Set(['type', ...['on_completion', 'on_success', 'on_failure']]);
  return Object.entries(step ?? {}).some(([name, value]) => !own.has(name) && !(value === '' || (Array.isArray(value) && value.length === 0) || (isObj(value) && Object.keys(value).length === 0)));
}

/** Variables a step can name: its own first, then the playbook's. */
export function variablesFor(doc: Doc, id: string): { name: string; type: string; own: boolean }[] {
  const own = Object.entries(dictionary(workflowOf(doc)[id] ?? {}, 'step_variables')).map(([name, one]) => ({ name, type: text(one.type), own: true }));
  const taken = new Set(own.map((one) => one.name));
  const all = Object.entries(dictionary(doc, 'playbook_variables')).map(([name, one]) => ({ name, type: text(one.type), own: false }));
  return [...own, ...all.filter((one) => !taken.has(one.name))];
}

/** The same dictionary with one key called otherwise, in its old place. */
export function renameKey(doc: Doc, path: readonly string[], from: string, to: string): Doc {
  let here: unknown = doc;
  for (const key of path) here = isObj(here) ? here[key] : undefined;
  if (!isObj(here) || from === to || to === '' || Object.hasOwn(here, to)) return doc;
  return setAt(doc, path, Object.fromEntries(Object.entries(here).map(([key, value]) => [key === from ? to : key, value])));
}
