import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Fact } from '@/api/types';
import { query } from '@/api/client';
import { graphOf } from '@/features/cti/bundle';
import { doorOf } from '@/features/situation/fact-door';
import { stepsOf } from '@/features/playbooks/cacao';
import { bytes, figure, percent, times } from '@/parts/format';
import { linesOf } from '@/parts/lines';
import { ago, spanText } from '@/parts/time';
import en from '@/strings/en.json';
import pages from '@/strings/pages.json';
import { t, tn, word } from '@/strings/pages';
import { FRAME } from '../../scripts/texts.mjs';
import { touchedBy } from './events';
import { feed, merge } from './feed-store';

/** Every file of a folder that people write. */
function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => /\.(ts|tsx|css|mjs)$/.test(path) && !path.endsWith('.d.ts'));
}

const fact = (seq: number, kind = 'incidents.opened'): Fact => ({ seq, id: `${seq}`, kind, subject: 'x', actor: 'a', sentence: 's', payload: {}, event_at: null, recorded_at: '2026-11-22T20:00:00Z' });

describe('feed', () => {
  it('keeps each fact once, newest first, within the limit', () => {
    expect(merge([fact(3), fact(5)], [fact(5), fact(1)], 2).map((one) => one.seq)).toEqual([5, 3]);
  });

  it('moves nothing while somebody reads, and loses nothing', () => {
    feed.arrive(fact(1));
    feed.hold(true);
    feed.arrive(fact(2));
    expect(feed.read().shown.map((one) => one.seq)).toEqual([1]);
    feed.hold(false);
    expect(feed.read().shown.map((one) => one.seq)).toEqual([2, 1]);
    feed.pause(true);
    feed.arrive(fact(3));
    feed.hold(true);
    feed.hold(false);
    expect(feed.read().waiting.map((one) => one.seq)).toEqual([3]);
    feed.pause(false);
    expect(feed.read().shown.map((one) => one.seq)).toEqual([3, 2, 1]);
  });
});

describe('facts', () => {
  it('make old what they concern, and always the ledger', () => {
    expect(touchedBy('incidents.opened')).toEqual(['incidents', 'recovery', 'ledger']);
    expect(touchedBy('cti.share_moved')).toContain('incidents');
    expect(touchedBy('nobody.knows')).toEqual(['ledger']);
  });
  it('lead to the page of their subject', () => {
    expect(doorOf(fact(1))).toBe('/incidents/x');
    expect(doorOf(fact(1, 'gateway.edge_connected'))).toBeNull();
  });
});

describe('words', () => {
  it('fill places and choose the plural', () => {
    expect(tn('count.windows', 1)).toBe('1 window');
    expect(tn('count.windows', 5411)).toBe('5,411 windows');
    expect(t('time.ago', { text: '4 min' })).toBe('4 min ago');
    expect(word('severity', 'high')).toBe('High');
    expect(word('severity', 'never_seen')).toBe('never seen');
  });

  it('every plural has both forms', () => {
    const keys = new Set([...Object.keys(en), ...Object.keys(pages)]);
    const ones = [...keys].filter((key) => key.endsWith('_one')).map((key) => key.slice(0, -4));
    expect(ones.filter((stem) => !keys.has(`${stem}_other`))).toEqual([]);
  });

  it('every file that uses a text of the other pages sees to it that they are there', () => {
    const prefixes = [...new Set(Object.keys(pages).map((key) => key.split('.')[0]))];
    const uses = new RegExp(`['"\`](?:${prefixes.join('|')})\\.(?!read'|list')[a-z_$]|word\\('(?:${prefixes.join('|')})'`);
    const missing = sources('src').filter((path) => !path.includes('.test.')).filter((path) => {
      const text = readFileSync(path, 'utf8');
      return text.includes("'@/strings/t'") && uses.test(text);
    });
    expect(missing).toEqual([]);
    expect(Object.keys(pages).filter((key) => key in en)).toEqual([]);
  });

  it('the frame and the shared parts say only what comes with them', () => {
    const first = [...new Set(Object.keys(en).map((key) => key.split('.')[0] ?? ''))].filter((one) => !FRAME.includes(one));
    const late = new RegExp(`\\b(?:tn?|word)\\(\\s*['"\`](?:${first.join('|')})(?:\\.|')`);
    // Charts and tags come with pages alone.
    const files = ['src/app', 'src/parts', 'src/api'].flatMap(sources).filter((path) => !/\.test\.|parts\/(chart\/|tags)/.test(path));
    expect(files.filter((path) => late.test(readFileSync(path, 'utf8')))).toEqual([]);
  });

  it('read numbers and times as people do', () => {
    expect([times(15.84), times(0.123), figure(1234.5), bytes(1_029_000), percent(0.0043), percent(0.42)]).toEqual(['15.8×', '0.123×', '1,235', '1.03 MB', '0.43\u00a0%', '42\u00a0%']);
    const now = Date.parse('2026-11-22T20:00:00Z');
    expect(['2026-11-22T20:00:00Z', '2026-11-22T19:59:20Z', '2026-11-22T19:56:00Z', '2026-11-22T20:30:00Z', '2026-11-20T20:00:00Z'].map((at) => ago(at, now))).toEqual(['now', '40 s ago', '4 min ago', 'in 30 min', '2 days ago']);
    expect(spanText(4_800_000)).toBe('80 min');
    expect(spanText(5_430_000)).toBe('1 h 31 min');
  });

  it('break into lines that fit', () => {
    expect(linesOf('Tram stop Glòries, detector 3', 20, 2)).toEqual(['Tram stop Glòries,', 'detector 3']);
    expect(linesOf('a very long name that never ends at all', 10, 2)).toEqual(['a very', 'long name…']);
    expect(linesOf('Donaudampfschifffahrt', 10, 1)).toEqual(['Donaudamp…']);
  });
});

describe('documents from outside', () => {
  it('queries leave out what is not there', () => {
    expect(query({ a: 1, b: undefined, c: null, d: '', e: 'x y' })).toBe('?a=1&e=x+y');
    expect(query({})).toBe('');
  });

  it('a bundle becomes a graph without dangling edges', () => {
    const bundle = { type: 'bundle' as const, id: 'bundle--1', objects: [
      { type: 'indicator', id: 'indicator--1', name: 'I' }, { type: 'ipv4-addr', id: 'ipv4-addr--1', value: '1.2.3.4' },
      { type: 'relationship', id: 'relationship--1', relationship_type: 'indicates', source_ref: 'indicator--1', target_ref: 'ipv4-addr--1' },
      { type: 'relationship', id: 'relationship--2', relationship_type: 'uses', source_ref: 'indicator--1', target_ref: 'malware--9' },
      { type: 'observed-data', id: 'observed-data--1', object_refs: ['ipv4-addr--1', 'ipv4-addr--404'] },
    ] };
    const { nodes, edges } = graphOf(bundle);
    expect(nodes.map((node) => node.label)).toEqual(['I', '1.2.3.4', 'observed data']);
    expect(edges.map((edge) => [edge.from, edge.label, edge.to])).toEqual([['indicator--1', 'indicates', 'ipv4-addr--1'], ['observed-data--1', 'object', 'ipv4-addr--1']]);
  });

  it('a playbook that is a ring or no playbook ends', () => {
    const ring = { workflow_start: 'a', workflow: { a: { type: 'start', on_completion: 'b' }, b: { type: 'action', name: 'B', on_completion: 'a' }, c: { type: 'end' } } };
    expect(stepsOf(ring).map((step) => step.id)).toEqual(['a', 'b', 'c']);
    expect(stepsOf({})).toEqual([]);
    expect(stepsOf({ workflow_start: 'gone', workflow: {} })).toEqual([]);
  });
});

describe('budgets', () => {
  it('no file is longer than 400 lines', () => {
    const long = ['src', 'mock', 'e2e', 'scripts'].flatMap(sources).filter((path) => readFileSync(path, 'utf8').split('\n').length > 400);
    expect(long).toEqual([]);
  });
});
