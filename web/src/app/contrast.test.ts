import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync('src/app/tokens.css', 'utf8');

function tokens(selector: string): Record<string, string> {
  const at = css.indexOf(`\n${selector} {`);
  const block = css.slice(at, css.indexOf('}', at));
  return Object.fromEntries([...block.matchAll(/--([a-z0-9-]+): (#[0-9a-f]{6})/g)].map((found) => [found[1], found[2]]));
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ['bg', 'surface', 'surface-2', 'surface-3'];
const WORDS = ['text', 'text-2', 'text-3', 'accent', 'good', 'low', 'medium', 'high', 'critical'];

describe('looks', () => {
  for (const [look, least] of [["[data-mantine-color-scheme='light']", 4.5], ["[data-mantine-color-scheme='dark']", 4.5], ["[data-contrast][data-mantine-color-scheme='light']", 7], ["[data-contrast][data-mantine-color-scheme='dark']", 7]] as const) {
    it(`${look}: every word reads at ${least}:1`, () => {
      const own = tokens(look);
      const pairs = [
        ...WORDS.flatMap((word) => GROUNDS.filter((ground) => least === 7 || ground !== 'surface-3').map((ground) => [word, ground])),
        ...['good', 'low', 'medium', 'high', 'critical', 'accent'].map((word) => [word, `${word}-soft`]),
        ['on-accent', 'accent'],
      ] as [string, string][];
      const weak = pairs.map(([word, ground]) => [word, ground, contrast(own[word] ?? '#777777', own[ground] ?? '#777777')] as const).filter(([, , ratio]) => ratio < least);
      expect(weak).toEqual([]);
    });
  }
});
