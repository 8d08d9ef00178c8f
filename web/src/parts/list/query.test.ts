import { describe, expect, it } from 'vitest';
import { chips, offers, term, turned, withTerm, without, type Field } from './query';

const field = (name: string, words: string[] = []): Field => ({ name, kind: 'word', help: name, words, has_order: false, facet: true });
const FIELDS = [field('state', ['new', 'triaged']), field('severity', ['low', 'high']), field('owner')];

describe('a query in chips', () => {
  it('is cut where terms end, not inside quotes and brackets', () => {
    expect(chips('is:open device:"Tram stop" -(a OR b) NOT x').map((chip) => chip.text)).toEqual(['is:open', 'device:"Tram stop"', '-(a OR b)', '-x']);
    expect(chips('a OR b c')).toHaveLength(1);
    expect(chips('   ')).toEqual([]);
  });
  it('gains a term without losing the sense of an OR', () => {
    expect(withTerm('a OR b', 'state:new', false)).toBe('(a OR b) state:new');
    expect(withTerm('state:new x', 'state:new', true)).toBe('x -state:new');
  });
  it('loses or turns one term', () => {
    expect(without('a -b c', 1)).toBe('a c');
    expect(turned('a -b c', 1)).toBe('a b c');
    expect(turned('a', 0)).toBe('-a');
  });
  it('quotes what needs it', () => {
    expect(term('device', 'Tram stop, 3')).toBe('device:"Tram stop, 3"');
    expect(term('peer', '2001:db8::1')).toBe('peer:2001:db8::1');
  });
});

describe('what could come next', () => {
  it('offers fields, then words, also after a comma and a minus', () => {
    expect(offers('-s', 2, FIELDS, {}).map((one) => [one.text, one.from])).toEqual([['state:', 1], ['severity:', 1]]);
    expect(offers('state:new,t', 11, FIELDS, {}).map((one) => [one.text, one.from])).toEqual([['triaged', 10]]);
    expect(offers('owner:', 6, FIELDS, { owner: ['Ana Vidal'] }).map((one) => one.text)).toEqual(['me', 'none', '"Ana Vidal"']);
  });
  it('offers nothing inside quotes or behind an unknown field', () => {
    expect(offers('device:"st', 10, FIELDS, {})).toEqual([]);
    expect(offers('colour:r', 8, FIELDS, {})).toEqual([]);
  });
});
