import { describe, expect, it } from 'vitest';
import { EMPTY, request } from './push-draft';

describe('a new push', () => {
  it('sends a collection of this node to a TAXII server', () => {
    const draft = { ...EMPTY, name: ' cert ', url: 'https://taxii.example/c/ ', what: 'collection' as const, collection: 'sereno/outbox', scheme: 'basic' as const, user: 'me', secret: 'x', highest: 'amber', for: '01a2' };
    expect(request(draft)).toEqual({ name: 'cert', url: 'https://taxii.example/c/', highest: 'amber', for: '01a2', every_minutes: 60, origin: { what: 'collection', root: 'sereno', collection: 'outbox' }, auth: { scheme: 'basic', user: 'me' }, secret: 'x' });
  });

  it('names types only where they are asked for, and no secret that nobody wants', () => {
    expect(request({ ...EMPTY, name: 'a', url: 'https://a.example', types: 'indicator, ,malware', secret: 'x' })).toEqual({ name: 'a', url: 'https://a.example', highest: 'green', every_minutes: 60, origin: { what: 'known', types: ['indicator', 'malware'] } });
    expect(request({ ...EMPTY, what: 'events', types: 'indicator', scheme: 'key', secret: 'k' })).toMatchObject({ origin: { what: 'events' }, auth: { scheme: 'key' }, secret: 'k' });
  });
});
