import { describe, expect, it } from 'vitest';
import type { Step } from '@/api/types';
import { momentsOf, statesAt, takenWays } from './replay';

const time = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const step = (id: string, from: number | null, to: number | null, more: Partial<Step> = {}): Step => ({
  position: null, parent: null, playbook: null, step: id, name: id, type: 'action', actuator: 'gateway', verb: 'block', state: 'done', outcome: null, arguments: null,
  started_at: from === null ? null : time(from), ended_at: to === null ? null : time(to), deadline_at: null, attempts: 1, ...more,
});
const at = (second: number) => Date.parse(time(second));

describe('a run played again', () => {
  const run = { steps: [step('a', 0, 1), step('b', 1, 5), step('c', 1, 4), step('d', 5, null, { state: 'running' }), step('e', null, null, { state: 'skipped' })] };
  it('lights several steps where branches ran at the same time', () => {
    const states = statesAt(run, at(2));
    expect([states.get('a'), states.get('b'), states.get('c'), states.get('d')]).toEqual(['done', 'running', 'running', 'pending']);
    expect(statesAt(run, null).get('e')).toBe('skipped');
    expect(momentsOf(run)).toEqual([0, 1, 4, 5].map(at));
  });
  it('shows the latest pass of a step in a loop', () => {
    const loop = { steps: [step('a', 0, 1), step('a', 4, 6, { state: 'failed' })] };
    expect([2, 5, 7].map((second) => statesAt(loop, at(second)).get('a'))).toEqual(['done', 'running', 'failed']);
    expect(statesAt(loop, null).get('a')).toBe('failed');
  });
  it('takes a way only when both of its ends were reached in that order', () => {
    const taken = takenWays(run, at(2));
    expect([taken('a', 'b'), taken('a', 'c'), taken('b', 'd'), taken('b', 'a'), taken('a', 'e')]).toEqual([true, true, false, false, false]);
  });
});
