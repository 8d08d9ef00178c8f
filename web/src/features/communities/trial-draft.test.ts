import { describe, expect, it } from 'vitest';
import { EMPTY, trial } from './trial-draft';

describe('a test of the policies', () => {
  it('asks for what is filled in and nothing else', () => {
    const made = trial({ ...EMPTY, name: ' CERTs ', country: 'pt', confidence: '0', labels: 'a,, b ' });
    expect(trial({ ...EMPTY, origin: 'feed', source: ' list ' }).object).toMatchObject({ received: true, origin: 'feed', source: 'list' });
    expect(made).toMatchObject({ name: 'CERTs', expected: true, recipient: { kind: 'cert', country: 'PT', communities: [] }, object: { received: false, confidence: 0, pap: null, labels: ['a', 'b'], to_community: null } });
  });

  it('goes through a community only when one is chosen', () => {
    expect(trial({ ...EMPTY, through: true }).object.to_community).toBeNull();
    const within = trial({ ...EMPTY, community: 'c-1', through: true });
    expect(within.object.to_community).toBe('c-1');
    expect(within.recipient.communities).toEqual(['c-1']);
    expect(trial({ ...EMPTY, community: 'c-1' }).object.to_community).toBeNull();
  });
});
