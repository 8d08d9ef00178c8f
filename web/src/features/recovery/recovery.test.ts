import { describe, expect, it } from 'vitest';
import type { Checkpoint, CheckpointAgent, LiftCase, ProtectedService } from '@/api/types';
import pages from '@/strings/pages.json';
import { complete, EMPTY, specOf } from './check-draft';
import { chosenFor, headline, keptAs, newestGood, stepsOf } from './words';

const at = (hour: number) => `2026-11-30T${String(hour).padStart(2, '0')}:00:00Z`;
const kept = (hour: number, more: Partial<Checkpoint> = {}): Checkpoint => ({ counter: hour, service: 's', taken_at: at(hour), bytes: 1, new_bytes: 1, frozen_s: 0.1, evidence: false, suspect: false, ...more });
const service = (checkpoints: Checkpoint[], unavailable: string | null = null): ProtectedService => ({ service: 's', backend: 'state', unavailable, running: true, failures: 0, operating_s: 1, interval: null, checkpoints });
const agent = (services: ProtectedService[], rollback: string | null = null): CheckpointAgent => ({ agent: 'a', error: null, listing: { agent: 'a', signer: '', counter: 'file', rollback, stored_bytes: 0, services } });
const lift = (stage: LiftCase['stage'], trial = 0) => ({ stage, trial }) as LiftCase;

describe('checkpoints', () => {
  it('what is evidence or suspect is never the one to start from', () => {
    const one = service([kept(8), kept(9), kept(10, { suspect: true }), kept(11, { evidence: true, suspect: true })]);
    expect(one.checkpoints.map(keptAs)).toEqual(['good', 'good', 'suspect', 'evidence']);
    expect(newestGood(one)?.counter).toBe(9);
  });
  it('a restart takes the newest that is older than the evidence less the margin', () => {
    const one = service([kept(8), kept(9), kept(10)]);
    expect(chosenFor(one, Date.parse(at(10)) + 300_000, 600)?.counter).toBe(9);
    expect(chosenFor(one, Date.parse(at(10)) + 900_000, 600)?.counter).toBe(10);
    expect(chosenFor(one, Date.parse(at(8)), 600)).toBeUndefined();
  });
});

describe('lifting', () => {
  it('goes through its steps, and an end by people is on none of them', () => {
    expect(stepsOf(lift('holding')).map((one) => one.state)).toEqual(['now', 'ahead', 'ahead', 'ahead']);
    expect(stepsOf(lift('trial', 0)).map((one) => one.state)).toEqual(['done', 'now', 'ahead', 'ahead']);
    expect(stepsOf(lift('trial', 1)).map((one) => one.state)).toEqual(['done', 'done', 'now', 'ahead']);
    expect(stepsOf(lift('recovered', 2)).map((one) => one.state)).toEqual(['done', 'done', 'done', 'done']);
    expect(stepsOf(lift('escalated', 1)).map((one) => one.state)).toEqual(['ahead', 'ahead', 'ahead', 'ahead']);
  });
});

describe('the title', () => {
  it('says first what needs somebody', () => {
    expect(headline([agent([service([kept(8)])])], [lift('escalated')])).toContain('called');
    expect(headline([agent([service([kept(8)])], 'the counter is ahead')], [])).toContain('put back');
    expect(headline([{ agent: 'a', error: 'gone', listing: null }], [])).toContain('does not answer');
    expect(headline([agent([service([kept(8)]), service([])])], [])).toContain('1 of 2');
    expect(headline([agent([service([kept(8)])])], [])).toBe('1 service can be put back');
    expect(headline([], [])).toBe('No service is protected');
  });
});

describe('health checks', () => {
  it('say what their kind needs', () => {
    const typed = { ...EMPTY, target: '10.0.0.9', address: '10.0.0.9:502', register: '3', min: '40', max: '45' };
    expect(specOf({ ...typed, kind: 'tcp' })).toEqual({ kind: 'tcp', address: '10.0.0.9:502' });
    expect(specOf({ ...typed, kind: 'modbus' })).toEqual({ kind: 'modbus', address: '10.0.0.9:502', unit: 1, register: 3, min: 40, max: 45 });
    expect(specOf({ ...typed, kind: 'http', url: 'http://10.0.0.9/' })).toEqual({ kind: 'http', url: 'http://10.0.0.9/', status: null, contains: null });
    expect([complete(typed), complete({ ...typed, kind: 'modbus', min: '46' }), complete({ ...typed, kind: 'http' }), complete(EMPTY)]).toEqual([true, false, false, false]);
  });
  it('every stage, verb and state has a word', () => {
    const wanted = ['stage.holding', 'stage.trial', 'stage.recovered', 'stage.escalated', 'stage.stopped', 'step.holding', 'step.trial_1', 'step.trial_2', 'step.recovered', 'verb.take', 'verb.restore_before', 'verb.restart', 'state.waiting', 'state.working', 'state.done', 'state.failed', 'kept.good', 'kept.suspect', 'kept.evidence', 'backend.state', 'backend.overlay', 'backend.btrfs', 'backend.machine', 'backend.criu'];
    expect(wanted.filter((key) => !(`recovery.${key}` in pages))).toEqual([]);
  });
});
