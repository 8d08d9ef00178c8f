import { describe, expect, it } from 'vitest';
import { FIRST, fieldsOf, fieldsText, listOf } from './triggers';

describe('triggers in the form', () => {
  it('reads lists and leaves out what is empty', () => {
    expect(listOf(' a, ,b ,')).toEqual(['a', 'b']);
    expect(listOf('')).toEqual([]);
  });
  it('maps fields to variables line by line, also fields with an equals sign', () => {
    expect(fieldsOf('host = __host__\n/a=b = ip\n= x\nnothing\n')).toEqual({ host: '__host__', '/a=b': '__ip__' });
    expect(fieldsOf(fieldsText({ '/alarm/ip': '__ip__', who: '__who__' }))).toEqual({ '/alarm/ip': '__ip__', who: '__who__' });
  });
  it('begins every kind with its own word', () => {
    for (const [on, first] of Object.entries(FIRST)) expect(first.on).toBe(on);
  });
});
