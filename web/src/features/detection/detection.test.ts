import { describe, expect, it } from 'vitest';
import { ApiError } from '@/api/client';
import type { Finding, Subject } from '@/api/types';
import { KINDS, listed, madeUp, sorted, sureness } from '@/features/assets/kinds';
import en from '@/strings/en.json';
import { lineOf, startOfLine } from './commands/lines';
import { misses, spreadText } from './goals';
import { scopeBody, scopesOf, untilOf } from './match';

const finding = {
  why: [{ metric: 'bytes_out' }],
  evidence: [{ peer: '203.0.113.4', protocol: 'tcp', port: 23, packets: 4, new: true }, { peer: '203.0.113.5', protocol: 'icmp', port: null, packets: 1, new: true }],
  techniques: [],
} as unknown as Finding;
const spread = (min: number, max = min) => ({ min, median: min, max });
const subject = (change: Partial<Subject>): Subject => ({ positive: 40, negative: 400, benign_days: 1, roc: [], course: [], ...change });

describe('the word of a person', () => {
  it('offers only what the finding has', () => {
    expect(scopesOf(finding)).toEqual(['finding', 'peer', 'metric', 'device']);
  });
  it('names a conversation whole, and no port where the protocol has none', () => {
    expect(scopeBody(finding, 'peer', '0')).toEqual({ peer: '203.0.113.4', protocol: 'tcp', port: 23 });
    expect(scopeBody(finding, 'peer', '1')).toEqual({ peer: '203.0.113.5', protocol: 'icmp' });
  });
  it('covers the finding unless more is asked for', () => {
    expect(scopeBody(finding, 'finding', 'anything')).toEqual({});
    expect(scopeBody(finding, 'device', '')).toEqual({ whole_device: true });
  });
  it('ends when it says', () => {
    expect(untilOf('day', Date.parse('2026-11-22T10:00:00Z'))).toBe('2026-11-23T10:00:00.000Z');
    expect(untilOf('never', 0)).toBeUndefined();
  });
});

describe('goals', () => {
  it('are judged at the worst seed', () => {
    expect(misses(subject({ tpr: spread(0.12, 1) }), 'tpr')).toBe(true);
    expect(misses(subject({ tpr: spread(0.98, 1) }), 'tpr')).toBe(false);
    expect(misses(subject({ fpr: spread(0.001, 0.012) }), 'fpr')).toBe(true);
    expect(misses(subject({ delay_windows: spread(0, 3) }), 'delay_windows')).toBe(true);
  });
  it('say nothing of a rate from a few windows, nor of what was not measured', () => {
    expect(misses(subject({ fpr: spread(0.09), negative: 11 }), 'fpr')).toBe(false);
    expect(misses(subject({}), 'auc')).toBe(false);
  });
  it('show all three figures only where seeds differ', () => {
    expect(spreadText({ min: 0.12, median: 0.6, max: 0.99 })).toBe('.120 / .600 / .990');
    expect(spreadText(spread(1))).toBe('1');
    expect(spreadText(spread(3), 0)).toBe('3');
    expect(spreadText(null)).toBe('–');
  });
});

describe('the inventory', () => {
  it('calls a guess a guess', () => {
    expect(sureness(0.9)).toContain('very likely');
    expect(sureness(0.2)).toContain('weak guess');
    expect(sureness(null)).toBe('a guess');
  });
  it('has a word for every kind', () => {
    expect(KINDS.filter((kind) => !(`device.kind.${kind}` in en))).toEqual([]);
  });
  it('tells addresses made up from those of makers', () => {
    expect(['da:00:00:00:00:01', '02:00:00:00:00:01', 'b8:27:eb:7d:6b:a6', '00:17:88:24:76:ff'].map(madeUp)).toEqual([true, true, false, false]);
  });
  it('loses no fact and no protocol', () => {
    const facts = ['name (DHCP)', 'offers', 'uses', 'asks for (DNS)', 'SSH software', 'name of a service (multicast DNS)'].map((what) => ({ what }));
    const parts = sorted(facts);
    expect([...parts.names, ...parts.services, ...parts.asked, ...parts.hints]).toEqual(facts);
    expect(parts.names).toHaveLength(1);
    expect(listed(['dns', 'ntp', 'http'], 2)).toBe('dns, ntp and 1 more');
  });
});

describe('a line the node names', () => {
  const problem = (detail: string) => new ApiError({ type: 'about:blank', title: 'The text is no model', status: 422, detail, remedy: '', instance: '' });

  it('is read from the detail', () => {
    expect(lineOf(problem('line 12: unknown field `oops`'))).toBe(12);
    expect(lineOf(problem('the baseline 3 is unknown'))).toBeNull();
    expect(lineOf(problem('line 0'))).toBeNull();
    expect(lineOf(new Error('line 4'))).toBeNull();
  });

  it('is found in the text, and beyond the end it is the last', () => {
    const text = 'one\ntwo\n\nfour';
    expect([1, 2, 3, 4, 9].map((line) => text.slice(...startOfLine(text, line)))).toEqual(['one', 'two', '', 'four', 'four']);
  });
});
