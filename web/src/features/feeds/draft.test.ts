import { describe, expect, it } from 'vitest';
import { EMPTY, request } from './draft';

describe('a new feed', () => {
  it('asks a TAXII server for what is named', () => {
    const draft = { ...EMPTY, name: ' cert ', url: 'https://taxii.example/', form: 'taxii' as const, scheme: 'basic' as const, user: 'me', secret: 'x', collections: 'a, b,', since: '2026-01-01T00:00:00Z' };
    expect(request(draft)).toEqual({
      name: 'cert', url: 'https://taxii.example/', tlp: 'clear', every_minutes: 60,
      format: { form: 'taxii', collections: ['a', 'b'], types: [], added_after: '2026-01-01T00:00:00Z' },
      auth: { scheme: 'basic', user: 'me' }, secret: 'x',
    });
  });

  it('keeps a secret that was typed for another kind to itself', () => {
    const body = request({ ...EMPTY, name: 'list', form: 'plain', scheme: 'bearer', secret: 'x' });
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(request({ ...EMPTY, name: 'm', form: 'misp-server', scheme: 'none', secret: 'x' })).not.toHaveProperty('secret');
  });
});
