import { describe, expect, it } from 'vitest';
import type { Delegation, Proposal, Severity } from '@/api/types';
import { valueText } from '@/features/incidents/responses';
import { inOrder, stillNeeded } from '@/features/playbooks/proposals';
import { voiceText } from '@/features/playbooks/decided';
import { giversOf } from '@/features/playbooks/place';
import { hostsOf } from './actuators';
import { holdsText, inUnit, levelsNow, linesOf, minuteOfDay, namesOf, quietAt, rulesOf, spanWords, zoneText, type Rules } from './policy';

const rules = (more: Partial<Rules> = {}): Rules => ({
  levels: { low: 'act', medium: 'act', high: 'act', critical: 'ask' }, quiet: [], limits: [], never: [], two_persons_from: null, escalate_after_s: 900, expire_after_s: 86_400, zone_minutes: 0, mail_links: { on: false, roles: [], persons: [], then_roles: [], then_persons: [] }, ...more,
});
const at = (hour: number, minute = 0) => Date.UTC(2026, 10, 30, hour, minute);

describe('quiet hours', () => {
  const night = { from: '22:00', until: '06:00', level: 'recommend' as const };
  it('begin and end on the minute, also over midnight', () => {
    const held = [[21, 59], [22, 0], [0, 0], [5, 59], [6, 0]].map(([hour = 0, minute = 0]) => quietAt(night, hour * 60 + minute));
    expect(held).toEqual([false, true, true, true, false]);
    expect(quietAt({ ...night, from: '12:00', until: '12:00' }, 3)).toBe(true);
    expect(quietAt({ ...night, from: '24:00' }, 3)).toBe(false);
  });
  it('follow their own clock', () => {
    expect(minuteOfDay(120, at(23, 30))).toBe(90);
    expect(minuteOfDay(-60, at(0, 30))).toBe(23 * 60 + 30);
    const ahead = rules({ quiet: [night], zone_minutes: 120 });
    expect(levelsNow(ahead, at(20)).low).toBe('recommend');
    expect(levelsNow(ahead, at(19, 59)).low).toBe('act');
    expect([zoneText(0), zoneText(330), zoneText(-210)]).toEqual(['UTC+00:00', 'UTC+05:30', 'UTC−03:30']);
  });
  it('never let it go further than the level of the asset', () => {
    const all = rules({ levels: { critical: 'recommend' }, quiet: [{ from: '00:00', until: '00:00', level: 'ask' }] });
    expect(levelsNow(all, at(1))).toEqual({ low: 'ask', medium: 'ask', high: 'ask', critical: 'recommend' });
  });
});

describe('the policy in words', () => {
  it('says what holds now, and where it is less', () => {
    expect(holdsText(rules(), at(12))).toBe('Automation acts, except on critical assets, where it asks first');
    const same = (level: 'act' | 'ask' | 'recommend') => rules({ levels: Object.fromEntries(['low', 'medium', 'high', 'critical'].map((one) => [one, level])) as Record<Severity, typeof level> });
    expect(holdsText(same('act'), at(12))).toBe('Automation acts');
    expect(holdsText(same('recommend'), at(12))).toBe('Automation only recommends');
    const three = rules({ levels: { low: 'act', medium: 'ask', high: 'ask', critical: 'recommend' } });
    expect(holdsText(three, at(12))).toBe('Automation acts, except on medium and high assets, where it asks first, except on critical assets, where it only recommends');
    expect(holdsText(rules({ quiet: [{ from: '11:00', until: '13:00', level: 'ask' }] }), at(12))).toBe('Automation asks first (quiet hours until 13:00)');
  });
  it('has a line for every rule', () => {
    const lines = linesOf(rules({ two_persons_from: 'high', quiet: [{ from: '11:00', until: '13:00', level: 'ask' }], limits: [{ name: 'blocks', actuator: 'gateway', verbs: ['block'], at_most: 20, within_s: 3600 }], never: [{ what: '10.0.0.0/8', reason: 'the plant' }] }), at(12));
    expect(lines.map((line) => line.text)).toEqual([
      'On assets of low, medium and high criticality it acts.',
      'On assets of critical criticality it asks first.',
      'From 11:00 to 13:00 (UTC+00:00) it asks first, also where it would act.',
      'From high criticality on, two different persons must say yes.',
      'When nobody answers, people are told once more after 15 minutes; after 1 day the proposal is over.',
      'Limit “blocks”: at most 20 commands (gateway · block) in 1 hour.',
      '10.0.0.0/8 is never touched: the plant.',
    ]);
    expect(lines.filter((line) => line.now).map((line) => line.key)).toEqual(['quiet 0']);
  });
  it('spans are read in the largest unit that is whole', () => {
    expect([inUnit(86_400), inUnit(5400), inUnit(61), inUnit(0)]).toEqual([{ n: 1, unit: 'd' }, { n: 90, unit: 'min' }, { n: 61, unit: 's' }, { n: 0, unit: 's' }]);
    expect(spanWords(7200)).toBe('2 hours');
  });
  it('is saved without who stopped it', () => {
    expect(rulesOf({ ...rules(), stopped: { by: 'Ana', reason: 'works', at: '2026-11-30T12:00:00Z' } })).toEqual(rules());
  });
});

describe('proposals and responses', () => {
  const proposal = (id: string, level: 'ask' | 'recommend', expires_at: string) => ({ id, level, expires_at }) as Proposal;
  it('what asks comes first, the one that is over first', () => {
    const list = [proposal('c', 'recommend', '2026-11-30T10'), proposal('b', 'ask', '2026-11-30T12'), proposal('a', 'ask', '2026-11-30T11')];
    expect(inOrder(list).map((one) => one.id)).toEqual(['a', 'b', 'c']);
  });
  it('one person is counted once', () => {
    const voice = (person: string) => ({ person, comment: '', at: '2026-11-30T10:00:00Z' });
    expect(stillNeeded({ persons: 2, voices: [voice('Ana'), voice('Ana')] })).toBe(1);
    expect(stillNeeded({ persons: 1, voices: [voice('Ana'), voice('Ben')] })).toBe(0);
  });
  it('values carry their sign', () => {
    expect([valueText(0.25), valueText(-0.1875), valueText(0)]).toEqual(['+0.25', '−0.19', '+0.00']);
  });
  it('hosts are read however they are separated, each once', () => {
    expect(hostsOf(' fw.example, 10.0.0.7\nfw.example ')).toEqual(['fw.example', '10.0.0.7']);
    expect(hostsOf(' , ')).toEqual([]);
  });
});

describe('answers', () => {
  const given = (more: Partial<Delegation>): Delegation => ({
    id: '1', giver: 'Ana', taker: 'Ben', kinds: ['proposals'], playbook: null, comment: '', from: '', until: '', recorded_at: '', made_by: 'Ana', revoked_at: null, revoked_by: null, active: true, ...more,
  });
  it('are given in the place of those alone who gave that voice, for that kind and playbook', () => {
    const all = [given({}), given({ giver: 'Ana', playbook: 'p' }), given({ giver: 'Cleo', playbook: 'q' }), given({ giver: 'Dora', kinds: ['steps'] }), given({ giver: 'Eva', active: false }), given({ giver: 'Fina', taker: 'Gil' })];
    expect(giversOf(all, 'Ben', 'proposals', 'p')).toEqual(['Ana']);
    expect(giversOf(all, 'Ben', 'steps', 'p')).toEqual(['Dora']);
    expect(giversOf(all, undefined, 'proposals', 'p')).toEqual([]);
  });
  it('say who spoke, for whom and by which way', () => {
    expect(voiceText({ person: 'Ben', for: 'Ana', method: 'link', comment: 'go' })).toBe('Ben, in place of Ana said yes, by link: go');
    expect(voiceText({ person: 'Ben', for: null, method: 'unknown', comment: '' })).toBe('Ben said yes');
  });
  it('are asked of names with commas between, each once', () => {
    expect(namesOf(' ana, ben,,ana ')).toEqual(['ana', 'ben']);
  });
});
