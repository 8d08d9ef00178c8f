import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decoded, encoded } from './base64';
import { completed, offersAt } from './complete';
import { differences, union } from './diff';
import { equal, getAt, setAt, workflowOf, type Doc } from './document';
import { keepDraft, readDraft } from './draft';
import { addStep, connect, disconnect, emptyPlaybook, holdsSomething, newId, removeStep, renameKey } from './edit';
import { exitsOf, leadingTo, readingOrder } from './exits';
import { change, historyOf, redo, undo } from './history';
import { layoutOf, STEP_H, STEP_W } from './layout';
import { instructionOf } from './instruction';
import { said } from './place';
import { MAX_PLAYBOOK_BYTES, readPlaybook } from './read';
import { inOrder, writePlaybook } from './write';

const SHIPPED = join(import.meta.dirname, '../../../../../data/playbooks');
const outside = process.env.SERENO_TEST_DATA;
const folders = [SHIPPED, ...(outside ? ['oasis-examples', 'soarca-examples'].map((name) => join(outside, 'cti/cacao', name)) : [])].filter((folder) => existsSync(folder));
const examples = folders
  .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => [name, readFileSync(join(folder, name), 'utf8')] as const))
  .filter(([, source]) => (JSON.parse(source) as { type?: string }).type === 'playbook');

/** Every type of step, every way out. */
const all: Doc = {
  type: 'playbook', id: 'playbook--1', 'x-unknown': { kept: [1, null, { deep: true }] }, name: 'All', workflow_start: 'start--1',
  workflow: {
    'start--1': { type: 'start', on_completion: 'if--1' },
    'if--1': { type: 'if-condition', condition: "$$__a__:value = 'x'", on_true: 'action--1', on_false: 'end--1', on_completion: 'while--1' },
    'action--1': { type: 'action', name: 'Ask', commands: [{ type: 'manual', command: 'Look' }], on_success: 'end--1', on_failure: 'end--2' },
    'while--1': { type: 'while-condition', condition: '__b__:value < 3', on_true: 'call--1', on_completion: 'switch--1' },
    'call--1': { type: 'playbook-action', playbook_id: 'playbook--2', on_completion: 'end--1' },
    'switch--1': { type: 'switch-condition', switch: '__b__:value', cases: { '1': 'action--2', default: 'end--2' }, on_completion: 'par--1' },
    'action--2': { type: 'action', commands: [], on_completion: 'end--1' },
    'par--1': { type: 'parallel', next_steps: ['action--3', 'action--4'], on_completion: 'end--3' },
    'action--3': { type: 'action', commands: [], on_completion: 'end--4' },
    'action--4': { type: 'action', commands: [], on_completion: 'end--4' },
    'end--1': { type: 'end' }, 'end--2': { type: 'end' }, 'end--3': { type: 'end' }, 'end--4': { type: 'end' },
  },
};

describe('reading and writing', () => {
  it('loses nothing of any example', () => {
    expect(examples.length).toBeGreaterThan(0);
    for (const [name, source] of examples) {
      const { doc, why } = readPlaybook(source);
      expect(why, name).toBeNull();
      expect(JSON.parse(writePlaybook(doc as Doc)), name).toEqual(JSON.parse(source));
      expect(readPlaybook(writePlaybook(inOrder(doc as Doc))).doc, name).toEqual(doc);
    }
  });
  it('writes the properties in the order of the standard, unknown ones last', () => {
    const written = Object.keys(inOrder({ 'x-mine': 1, workflow: {}, name: 'a', id: 'b', type: 'playbook' }));
    expect(written).toEqual(['type', 'id', 'name', 'workflow', 'x-mine']);
  });
  it('keeps keys that JavaScript finds special', () => {
    const { doc } = readPlaybook('{"type":"playbook","__proto__":{"constructor":1},"workflow":{"toString":{"type":"end"}}}');
    const next = setAt(doc as Doc, ['name'], 'x');
    expect(JSON.parse(writePlaybook(next))).toEqual(JSON.parse('{"type":"playbook","__proto__":{"constructor":1},"workflow":{"toString":{"type":"end"}},"name":"x"}'));
    expect(writePlaybook(next)).toContain('"__proto__"');
  });
  it.each([
    ['no JSON', '{"type": "playbook",'], ['a list', '[]'], ['another object', '{"type":"bundle"}'],
    ['a number that would change', '{"type":"playbook","priority":12345678901234567890}'], ['a number beyond all', '{"type":"playbook","priority":1e999}'],
    ['one nested too deep', `{"type":"playbook","x":${'['.repeat(200)}${']'.repeat(200)}}`], ['one too large', `{"type":"playbook","description":"${'ä'.repeat(MAX_PLAYBOOK_BYTES / 2)}"}`],
  ])('refuses %s', (_, source) => {
    expect(readPlaybook(source).doc).toBeNull();
    expect(readPlaybook(source).why).not.toBe('');
  });
  it('takes digits within texts for what they are', () => {
    expect(readPlaybook('{"type":"playbook","name":"12345678901234567890 \\" 1e999"}').why).toBeNull();
  });
});

describe('changing', () => {
  it('changes one place and shares the rest', () => {
    const next = setAt(all, ['workflow', 'action--1', 'commands', 0, 'command'], 'Look twice');
    expect(getAt(next, ['workflow', 'action--1', 'commands', 0])).toEqual({ type: 'manual', command: 'Look twice' });
    expect(next['x-unknown']).toBe(all['x-unknown']);
    expect(Object.keys(workflowOf(next))).toEqual(Object.keys(workflowOf(all)));
    expect(equal(setAt(next, ['workflow', 'action--1', 'commands', 0, 'command'], 'Look'), all)).toBe(true);
    expect(setAt({ a: [1, 2, 3] }, ['a', 1], undefined)).toEqual({ a: [1, 3] });
  });
  it('puts a step between two others', () => {
    const start = emptyPlaybook('identity--1', '2026-01-01T00:00:00.000Z');
    const first = String(start.workflow_start);
    const end = exitsOf(workflowOf(start)[first])[0]?.to;
    const next = addStep(start, 'action', 'action--9', first);
    expect(exitsOf(workflowOf(next)[first])).toEqual([{ kind: 'on_completion', to: 'action--9' }]);
    expect(exitsOf(workflowOf(next)['action--9'])).toEqual([{ kind: 'on_completion', to: end }]);
    expect(newId('action')).toMatch(/^action--[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
  it('connects and takes apart every way out', () => {
    for (const [from, step] of Object.entries(workflowOf(all))) {
      const exits = exitsOf(step);
      for (const exit of exits) {
        const without = disconnect(all, from, exit);
        expect(exitsOf(workflowOf(without)[from])).toEqual(exits.filter((one) => one !== exit));
        expect(exitsOf(workflowOf(connect(without, from, exit))[from]).map((one) => one.to).sort()).toEqual(exits.map((one) => one.to).sort());
      }
    }
  });
  it('closes the chain around a step that is taken out', () => {
    const next = removeStep(all, 'while--1');
    expect(exitsOf(workflowOf(next)['if--1']).at(-1)).toEqual({ kind: 'on_completion', to: 'switch--1' });
    expect(leadingTo(removeStep(all, 'end--1'), 'end--1')).toEqual([]);
    const branch = removeStep(all, 'action--3');
    expect(exitsOf(workflowOf(branch)['par--1']).map((one) => one.to)).toEqual(['end--4', 'action--4', 'end--3']);
    expect(removeStep(all, 'start--1').workflow_start).toBeUndefined();
  });
  it('knows whether something is lost', () => {
    expect(holdsSomething({ type: 'action', name: '', commands: [], agent: '', on_completion: 'end--1' })).toBe(false);
    expect(holdsSomething({ type: 'action', commands: [{ type: 'manual' }] })).toBe(true);
    expect(holdsSomething({ type: 'end', 'x-mine': 1 })).toBe(true);
  });
  it('renames a key in its place and never onto another', () => {
    const doc = { playbook_variables: { __a__: { type: 'string' }, __b__: { type: 'integer' } } };
    expect(Object.keys(renameKey(doc, ['playbook_variables'], '__a__', '__c__').playbook_variables as object)).toEqual(['__c__', '__b__']);
    expect(renameKey(doc, ['playbook_variables'], '__a__', '__b__')).toBe(doc);
  });
});

describe('undo', () => {
  it('takes back one act, and one stretch of typing', () => {
    const docs = [0, 1, 2, 3].map((name) => ({ name }) as Doc);
    let history = historyOf(docs[0] as Doc);
    history = change(history, docs[1] as Doc, 'name', 1000);
    history = change(history, docs[2] as Doc, 'name', 1500);
    history = change(history, docs[3] as Doc, 'name', 9000);
    expect([undo(history).now, undo(undo(history)).now]).toEqual([docs[2], docs[0]]);
    expect(redo(undo(history)).now).toBe(docs[3]);
    expect(undo(historyOf(docs[0] as Doc)).now).toBe(docs[0]);
  });
});

describe('base64 fields', () => {
  it('are shown decoded only where writing them again gives the same', () => {
    expect(decoded(encoded('echo "grüß dich" | tee ✓'))).toBe('echo "grüß dich" | tee ✓');
    expect(decoded('/w==')).toBeNull();
    expect(decoded('not base64!')).toBeNull();
    expect(decoded('YQ')).toBeNull();
  });
});

describe('the layout', () => {
  const lay = layoutOf(all);
  const at = (id: string) => lay.at.get(id) ?? { x: NaN, y: NaN };
  it('places every step, below what leads to it, and none upon another', () => {
    const places = [...lay.at.entries()];
    expect(places.length).toBe(Object.keys(workflowOf(all)).length);
    for (const [from, step] of Object.entries(workflowOf(all))) for (const exit of exitsOf(step)) expect(at(exit.to).y).toBeGreaterThan(at(from).y);
    for (const [a, one] of places) for (const [b, two] of places) if (a < b) expect(Math.abs(one.x - two.x) >= STEP_W || Math.abs(one.y - two.y) >= STEP_H, `${a} ${b}`).toBe(true);
  });
  it('puts what follows below the ends of the branches', () => {
    expect(at('end--3').y).toBeGreaterThan(at('end--4').y);
  });
  it('comes to an end on rings, on steps nobody leads to, and on a thousand steps', () => {
    const ring = { type: 'playbook', workflow_start: 'a', workflow: { a: { type: 'action', on_completion: 'b' }, b: { type: 'action', on_completion: 'a', on_failure: 'b' }, c: { type: 'end' } } };
    expect(layoutOf(ring).at.size).toBe(3);
    const long = { type: 'playbook', workflow_start: '0', workflow: Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [String(index), { type: 'action', on_completion: String(index + 1), on_failure: '999' }])) };
    const before = performance.now();
    expect(layoutOf(long).at.size).toBe(1000);
    expect(performance.now() - before).toBeLessThan(5_000);
  });
  it('reads from the start on', () => {
    expect(readingOrder(all).slice(0, 4)).toEqual(['start--1', 'if--1', 'action--1', 'end--1']);
  });
});

describe('differences', () => {
  it('are none between a playbook and itself saved again', () => {
    expect(differences(all, { ...inOrder(all), modified: '2030-01-01T00:00:00.000Z' })).toEqual([]);
  });
  it('name steps, fields and ways out', () => {
    let next = setAt(all, ['workflow', 'action--1', 'commands', 0, 'command'], 'Look twice');
    next = removeStep(next, 'call--1');
    next = setAt(addStep(next, 'action', 'action--9', 'par--1'), ['playbook_variables'], { __n__: { type: 'integer' } });
    const found = differences(all, next);
    const of = (key: string) => found.find((one) => one.key === key);
    expect(of('action--1')).toMatchObject({ change: 'changed', fields: [{ place: 'commands/0/command', before: 'Look', after: 'Look twice' }] });
    expect([of('call--1')?.change, of('action--9')?.change, of('__n__')?.change]).toEqual(['removed', 'added', 'added']);
    expect(of('end--1')).toBeUndefined();
    const both = union(all, next);
    expect(Object.keys(workflowOf(both.doc))).toContain('call--1');
    expect(both.exits.get('par--1 on_completion action--9')).toBe('added');
    expect(both.exits.get('while--1 on_true call--1')).toBe('removed');
    const moved = union(all, connect(all, 'if--1', { kind: 'on_false', to: 'end--2' }));
    expect(exitsOf(workflowOf(moved.doc)['if--1']).filter((exit) => exit.kind === 'on_false').map((exit) => [exit.to, moved.exits.get(`if--1 on_false ${exit.to}`)])).toEqual([['end--2', 'added'], ['end--1', 'removed']]);
  });
});

describe('what validation says', () => {
  it('leads to the step or the form it is about', () => {
    expect(said('/workflow/action--1/commands/0: \'type\' is missing', all)).toMatchObject({ step: 'action--1', part: 'step', text: "'type' is missing" });
    expect(said('/playbook_variables/__a__: must be an object', all)).toMatchObject({ step: null, part: 'variables' });
    expect(said("step 'Ask' (action--1): commands of the type ssh are not carried out here", all)).toMatchObject({ step: 'action--1' });
    expect(said('/workflow/gone--1: no step leads to it', all)).toMatchObject({ step: null });
    expect(said('nothing here gives the external variable __a__ a value', all)).toMatchObject({ step: null, part: 'playbook', place: null });
  });
});

describe('a draft', () => {
  const shelf = new Map<string, string>();
  const store = { getItem: (key: string) => shelf.get(key) ?? null, setItem: (key: string, value: string) => void shelf.set(key, value), removeItem: (key: string) => void shelf.delete(key) };
  it('comes back as it was, and broken storage is no draft', () => {
    expect(keepDraft('a', { doc: all, base: 'b', at: 5 }, store)).toBe(true);
    expect(readDraft('a', store)).toEqual({ doc: all, base: 'b', at: 5 });
    shelf.set('sereno-playbook-draft:b', '{');
    expect(readDraft('b', store)).toBeNull();
    expect(keepDraft('c', { doc: all, base: null, at: 1 }, { ...store, setItem: () => { throw new Error('full'); } })).toBe(false);
  });
});

describe('names offered in a condition', () => {
  const variables = [{ name: '__known__', type: 'bool' }, { name: '__key__', type: 'string' }];
  const names = (source: string) => offersAt(source, source.length, variables).map((one) => one.name);
  it('are those that fit what is typed, outside of quotes', () => {
    expect([names('_'), names('__ke'), names("__key__:value = '_k"), names('known'), names('a_k')]).toEqual([['__known__', '__key__'], ['__key__'], [], [], []]);
  });
  it('take the place of what was typed', () => {
    const source = '_kn = true';
    const [offer] = offersAt(source, 3, variables);
    expect(completed(source, offer as NonNullable<typeof offer>)).toEqual({ text: '__known__:value = true', caret: 15 });
    const [again] = offersAt('_kn:value', 3, variables);
    expect(completed('_kn:value', again as NonNullable<typeof again>).text).toBe('__known__:value');
  });
});

describe('what a person is asked', () => {
  it('is what the run says, else what the playbook says', () => {
    const doc = { workflow: { a: { type: 'action', commands: [{ type: 'bash', command: 'ls' }, { type: 'manual', command_b64: encoded('Look') }] }, b: { type: 'action', description: 'Think' } } };
    expect(instructionOf({ step: 'a', arguments: { instruction: 'Look at 192.0.2.7' } }, doc)).toBe('Look at 192.0.2.7');
    expect([instructionOf({ step: 'a', arguments: null }, doc), instructionOf({ step: 'b', arguments: null }, doc), instructionOf({ step: 'c', arguments: {} }, undefined)]).toEqual(['Look', 'Think', null]);
  });
});
