import { describe, expect, it } from 'vitest';
import type { GatewayTotals, Order } from '@/api/types';
import pages from '@/strings/pages.json';
import { entryOf, keeping, namesOf } from './allow-draft';
import { flowText, serviceText } from './flow';
import { bodyOf, EMPTY, missing, VERBS } from './order-draft';
import { proofText } from './proof';
import { balanceOf, busiest, REASONS } from './totals';
import { whyParts } from './why-parts';

const totals = (dropped: GatewayTotals['dropped'], seen = 100): GatewayTotals => ({ seen: { packets: seen, bytes: 0 }, passed: { packets: 60, bytes: 0 }, dropped, would_drop: {} });

describe('counters', () => {
  it('add up by reason, in the order of the gateway, and what is on its way is said', () => {
    const balance = balanceOf(totals({ shaping: { packets: 5, bytes: 50 }, block: { packets: 30, bytes: 300 }, new_reason: { packets: 2, bytes: 20 } }));
    expect(balance.parts.map((one) => one.name)).toEqual(['passed', 'block', 'shaping', 'new_reason']);
    expect(balance.dropped).toEqual({ packets: 37, bytes: 370 });
    expect(balance.open).toBe(3);
  });
  it('nothing seen is no share of nothing', () => {
    expect(balanceOf({ seen: { packets: 0, bytes: 0 }, passed: { packets: 0, bytes: 0 }, dropped: {}, would_drop: {} }).parts.map((one) => one.share)).toEqual([0]);
  });
  it('of devices stand in the order of what they lost', () => {
    const line = (mac: string, forwarded_packets: number, dropped_packets: number) => ({ mac, forwarded_packets, forwarded_bytes: 0, dropped_packets, dropped_bytes: 0, blocked: false, reasons: {} });
    expect(busiest([line('a', 5, 0), line('b', 9, 0), line('c', 0, 7)]).map((one) => one.mac)).toEqual(['c', 'b', 'a']);
  });
  it('every reason has a word', () => {
    expect(['passed', ...REASONS].filter((name) => !(`gw.reason.${name}` in pages))).toEqual([]);
  });
});

describe('orders', () => {
  it('every verb has its words', () => {
    expect([...VERBS, 'undo'].filter((verb) => !(`orders.${verb}` in pages))).toEqual([]);
    expect(VERBS.filter((verb) => !(`gw.verb.${verb}` in pages) || !(`gw.verb_lead.${verb}` in pages))).toEqual([]);
  });
  it('say only what their verb knows', () => {
    const typed = { ...EMPTY, target: 'B8:27:EB:7D:6B:A6, 192.168.100.113', packets: '20', to: '10.0.0.9', why: ' test ' };
    expect(bodyOf(typed)).toEqual({ verb: 'block', mac: 'b8:27:eb:7d:6b:a6', addresses: ['192.168.100.113'], timeout_s: 3600, why: 'test' });
    expect(bodyOf({ ...typed, verb: 'rate_limit' })).toMatchObject({ packets_s: 20 });
    expect(bodyOf({ ...typed, verb: 'release' })).not.toHaveProperty('timeout_s');
    expect(bodyOf({ ...typed, verb: 'redirect', toPort: '80' })).toMatchObject({ to: ['10.0.0.9'], port: 80 });
    expect(bodyOf({ ...typed, flow: true, remote: '10.0.0.0/8', protocol: '6', port: '502' })).toMatchObject({ flow: { remote: '10.0.0.0/8', protocol: 6, remote_port: 502, direction: null } });
  });
  it('that miss something are not sent', () => {
    expect(missing(EMPTY)).toBe('target');
    expect(missing({ ...EMPTY, target: '10.0.0.1', verb: 'rate_limit' })).toBe('rate');
    expect(missing({ ...EMPTY, target: '10.0.0.1', verb: 'redirect', to: '10.0.0.2, 10.0.0.3' })).toBe('to');
    expect(missing({ ...EMPTY, target: '10.0.0.1', flow: true, port: '80' })).toBe('flow');
    expect(missing({ ...EMPTY, target: '10.0.0.1', verb: 'quarantine' })).toBeNull();
  });
  it('tell how they are known to work', () => {
    const order = (data: unknown) => ({ outcome: { outcome: 'done', summary: 's', data } }) as Order;
    expect(proofText(order({ proof: { by: 'probe', counter_before: 3, counter_after: 4, frame: 'from a to b' } }))).toContain('from 3 to 4');
    expect(proofText(order({ proof: { by: 'read_back', why_no_probe: 'a router' } }))).toContain('a router');
    expect(proofText(order({}))).toBeNull();
    expect(proofText({ outcome: null } as Order)).toBeNull();
  });
});

describe('reasons', () => {
  it('lead to the run and the incident they name, and to nothing else', () => {
    const run = '01a22d98-f291-77b8-a331-99217ff90458';
    expect(whyParts(`run ${run} for incident ${run}`)).toEqual([{ text: run, to: 'run' }, { text: ' for ', to: null }, { text: run, to: 'incident' }]);
    expect(whyParts('run 17 of the drill')).toEqual([{ text: 'run 17 of the drill', to: null }]);
    expect(whyParts('')).toEqual([]);
  });
});

describe('allow lists', () => {
  it('read entries as the command line does', () => {
    expect(entryOf('10.0.0.0/8, tcp, 502')).toEqual({ peer: '10.0.0.0/8', protocol: 6, port: 502, local_port: null });
    expect(entryOf('10.0.0.9')).toEqual({ peer: '10.0.0.9', protocol: null, port: null, local_port: null });
    for (const wrong of ['', '10.0.0.9,,80', '10.0.0.9,tpc', '10.0.0.9,tcp,70000', '10.0.0.9,tcp,80,1']) expect(entryOf(wrong), wrong).toBeNull();
  });
  it('keep their state and the end of learning when entries change', () => {
    const now = Date.parse('2026-11-30T12:00:00Z');
    expect(keeping({ state: 'learning', learn_until: '2026-11-30T13:00:00Z' }, now)).toEqual({ state: 'learning', learn_s: 3600 });
    expect(keeping({ state: 'frozen', learn_until: null }, now)).toEqual({ state: 'frozen' });
    expect(keeping(undefined, now)).toEqual({ state: 'off' });
  });
  it('take meanings of names line by line', () => {
    expect(namesOf('a.example=192.0.2.7, 192.0.2.8\n\nnothing\n b = 10.0.0.1')).toEqual({ 'a.example': ['192.0.2.7', '192.0.2.8'], b: ['10.0.0.1'] });
  });
  it('are told in words', () => {
    expect(serviceText({ protocol: 6, port: 443, local_port: null })).toBe('TCP 443');
    expect(flowText({ local: null, remote: '10.0.0.9', protocol: 17, local_port: null, remote_port: 53, direction: 'out' })).toBe('only UDP 53 with 10.0.0.9, from the device');
    expect(flowText(null)).toBeNull();
  });
});
