import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { curlOf, exampleOf, found, keysOf, operationsOf, typeOf, type Description, type Operation } from './model';

const contract = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../openapi.json'), 'utf8')) as Description;
const all = operationsOf(contract);

const small: Description = {
  info: { title: 'x', version: '1' },
  paths: {},
  components: {
    schemas: {
      Tree: { type: 'object', required: ['name', 'children'], properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/components/schemas/Tree' } }, note: { type: ['string', 'null'] } } },
      Word: { type: 'string', enum: ['open', 'closed'] },
    },
  },
};
const operation = (more: Partial<Operation>): Operation => ({ id: 'x', method: 'POST', path: '/a/{id}', section: 's', summary: '', description: '', parameters: [], body: null, answers: [], words: '', ...more });

describe('the description of the API as a page', () => {
  it('holds every operation of the contract, each with a summary and an address of its own', () => {
    const wanted = Object.values(contract.paths).flatMap((item) => Object.keys(item)).length;
    expect(all).toHaveLength(wanted);
    expect(wanted).toBeGreaterThan(250);
    expect(new Set(all.map((one) => one.id)).size).toBe(wanted);
    expect(all.filter((one) => one.summary === '').map((one) => one.id)).toEqual([]);
  });

  it('finds by any word of method, path, name and parameter', () => {
    expect(found(all, 'get incidents').map((one) => one.path)).toContain('/api/v1/incidents');
    expect(found(all, 'POST incidents').every((one) => one.method === 'POST')).toBe(true);
    expect(found(all, 'no-such-thing')).toEqual([]);
    expect(found(all, '  ')).toHaveLength(all.length);
  });

  it('makes a finite example and a type in words for every operation', () => {
    for (const one of all) {
      if (one.body) expect(JSON.stringify(exampleOf(contract, one.body.schema)).length).toBeLessThan(20_000);
      for (const answer of one.answers) if (answer.schema) expect(typeOf(contract, answer.schema)).not.toBe('');
    }
  });

  it('ends where a shape contains itself and leaves out what is not needed', () => {
    const tree = exampleOf(small, { $ref: '#/components/schemas/Tree' }) as Record<string, unknown>;
    expect(tree.name).toBe('…');
    expect(tree).not.toHaveProperty('note');
    expect(keysOf(small, { $ref: '#/components/schemas/Tree' }).map((key) => [key.name, key.required])).toEqual([['name', true], ['children', true], ['note', false]]);
    expect(typeOf(small, { type: 'array', items: { $ref: '#/components/schemas/Word' } })).toBe('list of open | closed');
  });

  it('writes a curl line that a shell takes as it stands, without a token in it', () => {
    const body = { kind: 'application/json', required: true, schema: { type: 'object', required: ['text'], properties: { text: { type: 'string', example: "it's" } } } };
    const line = curlOf(small, operation({ body }), 'https://node.example', false);
    expect(line).toContain(`-d '{"text":"it'\\''s"}'`);
    expect(line).toContain("'https://node.example/a/ID'");
    expect(line).toContain('"Authorization: Bearer $SERENO_TOKEN"');
    expect(curlOf(small, operation({ method: 'GET' }), 'https://node.example', true)).not.toContain('Authorization');
  });
});
