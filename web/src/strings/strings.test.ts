import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { check } from './check';
import { LOCALES } from './locale';

const read = (name: string): Record<string, string> => JSON.parse(readFileSync(`src/strings/${name}.json`, 'utf8'));
const english = { ...read('en'), ...read('pages') };

describe('languages', () => {
  it('each that can be chosen has a file, and each file can be chosen', () => {
    const files = readdirSync('src/strings').flatMap((name) => (name.endsWith('.json') ? [name.replace('.json', '')] : []));
    expect(files.filter((name) => name !== 'pages').sort()).toEqual(Object.keys(LOCALES).sort());
  });

  for (const name of Object.keys(LOCALES).filter((one) => one !== 'en')) {
    it(`${name} says nothing that nobody asks for, and fills the same places`, () => {
      const { surplus, broken } = check(english, read(name));
      expect({ surplus, broken }).toEqual({ surplus: [], broken: [] });
    });

    it(`${name} has every place of the rail and every state of an incident`, () => {
      const { missing } = check(english, read(name));
      expect(missing.filter((key) => /^(nav|severity|incident\.state)\./.test(key))).toEqual([]);
    });
  }

  it('the check sees what is wrong', () => {
    const own = { a: '{x} and {y}', b_one: 'one', b_few: '{n} few', gone: 'x', c: 'c' };
    expect(check({ a: '{x}', b_one: '{n} one', b_other: '{n}', c: 'c', d: 'd' }, own)).toEqual({ missing: ['b_other', 'd'], surplus: ['gone'], broken: ['a'] });
  });
});
