// A CACAO v2.0 playbook as it is written: a JSON object that is kept whole. What the editor does not
// know stays where it is, and a change makes a new object that shares all the rest with the old one.

export type Obj = Record<string, unknown>;
export type Doc = Obj;
export type Path = readonly (string | number)[];

/** The types of step of the standard (CACAO v2.0, section 4), in the order a person looks for them. */
export const STEP_TYPES = ['action', 'if-condition', 'while-condition', 'switch-condition', 'parallel', 'playbook-action', 'start', 'end'] as const;
export type StepType = (typeof STEP_TYPES)[number];

export const isObj = (value: unknown): value is Obj => typeof value === 'object' && value !== null && !Array.isArray(value);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);
export const objects = (value: unknown): Obj[] => (Array.isArray(value) ? value.filter(isObj) : []);

/** A dictionary of objects, e.g. `workflow`; entries that are no objects are left out. */
export function dictionary(doc: Obj, name: string): Record<string, Obj> {
  const found = doc[name];
  return isObj(found) ? Object.fromEntries(Object.entries(found).filter((entry): entry is [string, Obj] => isObj(entry[1]))) : {};
}

export const workflowOf = (doc: Doc): Record<string, Obj> => dictionary(doc, 'workflow');

/** What a step is called: its name, or the word for its type. */
export function titleOf(id: string, step: Obj | undefined): string {
  return text(step?.name) || text(step?.type) || id;
}

export function getAt(value: unknown, path: Path): unknown {
  let here = value;
  for (const key of path) {
    if (Array.isArray(here)) here = here[Number(key)];
    else if (isObj(here) && Object.hasOwn(here, key)) here = here[key];
    else return undefined;
  }
  return here;
}

/** The same value with one place changed; `undefined` takes the place out. The order of keys is kept. */
export function setAt<T>(value: T, path: Path, next: unknown): T {
  const [key, ...rest] = path;
  if (key === undefined) return next as T;
  if (getAt(value, path) === next) return value;
  if (Array.isArray(value)) {
    const index = Number(key);
    if (rest.length === 0 && next === undefined) return value.filter((_, at) => at !== index) as T;
    const copy = value.slice();
    copy[index] = setAt(copy[index] as unknown, rest, next);
    return copy as T;
  }
  const own: Obj = isObj(value) ? value : {};
  const made = setAt(Object.hasOwn(own, key) ? own[key] : undefined, rest, next);
  if (made === undefined) return Object.fromEntries(Object.entries(own).filter(([name]) => name !== key)) as T;
  // Not `own[key] = …`: a key called __proto__ is a key like any other here.
  if (Object.hasOwn(own, key)) return Object.fromEntries(Object.entries(own).map(([name, old]) => [name, name === key ? made : old])) as T;
  return Object.fromEntries([...Object.entries(own), [key, made]]) as T;
}

/** Equal as JSON: the order of keys says nothing, that of lists does. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((one, index) => equal(one, b[index]));
  if (!isObj(a) || !isObj(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]));
}
