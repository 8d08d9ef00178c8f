import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const CONTRACT = join(import.meta.dirname, '../../../openapi.json');

/** Every path the console asks for, with `{}` where a value goes. */
function pathsAsked(): string[] {
  const found = new Set<string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.tsx?$/.test(entry.name) && !/\.(test|d)\.ts$/.test(entry.name)) {
        for (const match of readFileSync(path, 'utf8').matchAll(/\b(?:get|post|patch|remove)(?:<[^()]*>)?\(\s*(['`])(\/[^'`]*)\1/g)) {
          // `${query(…)}`, or what was made of it before, at the end is no part of the path.
          const text = (match[2] ?? '').replace(/\$\{query\(.*$/, '').replace(/\$\{[^}]*\}/g, '{}').replace(/([^/])\{\}$/, '$1');
          found.add(`/api/v1${text}`);
        }
      }
    }
  };
  walk(join(import.meta.dirname, '..'));
  return [...found].sort();
}

describe('the contract', () => {
  it('has every path the console asks for', () => {
    expect(existsSync(CONTRACT), 'openapi.json is missing from the repository').toBe(true);
    const paths = Object.keys((JSON.parse(readFileSync(CONTRACT, 'utf8')) as { paths: object }).paths);
    // The description does not describe itself.
    const known = new Set(['/api/v1/openapi.json', ...paths.map((path) => path.replace(/\{[^}]*\}/g, '{}'))]);
    const asked = pathsAsked();
    expect(asked.length).toBeGreaterThan(30);
    expect(asked.filter((path) => !known.has(path))).toEqual([]);
  });
});
