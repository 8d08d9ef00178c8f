import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { termsOf } from './terms';

const terms = termsOf(readFileSync(new URL('../../../../docs/glossary.md', import.meta.url), 'utf8'));

describe('the glossary', () => {
  it('reads every term of the documentation, each once and in order', () => {
    const source = readFileSync(new URL('../../../../docs/glossary.md', import.meta.url), 'utf8');
    expect(terms).toHaveLength(source.split('\n').filter((line) => line.startsWith('**')).length);
    const names = terms.map((one) => one.term.toLowerCase());
    expect([...names].sort((a, b) => a.localeCompare(b, 'en'))).toEqual(names);
    expect(new Set(terms.map((one) => one.id)).size).toBe(terms.length);
  });
});
