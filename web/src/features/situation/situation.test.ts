import { describe, expect, it } from 'vitest';
import type { Finding, Gateway, Incident, Order, Share, Watched } from '@/api/types';
import { domainOf } from './domain';
import { headline } from './headline';
import { story, type StoryInput } from './story';

const incident = (change: Partial<Incident> = {}): Incident => ({
  id: 'i', title: 'A device calls out', state: 'new', severity: 'high', tlp: 'TLP:AMBER', origin: 'o', origin_name: 'Harbour Tram and Grid', findings: 1,
  received_share: null, acknowledged_by: null, event_at: '2018-07-31T14:24:04Z', recorded_at: '2026-11-22T20:00:00Z', updated_at: '2026-11-22T20:00:00Z', ...change,
});
const device = (state: Watched['state']): Watched => ({
  device: 'd', name: 'Detector 3', state, protection: 'watched by its own model, version 1', version: 1,
  learning: { state: 'learns from what is trusted', trust: 1, held: null, drifting: false, taught: 0, taught_in_all: 0, kept_out: 0, on_probation: 0, suppressed: 0 }, model: null, windows_scored: 3, windows_alerting: 0, windows_unscored: 0, training_windows: null, last_score: null, threshold: 1, alpha: null, measured_false_rate: null, judges: null, trained_from: null, trained_to: null,
});
const gateway = (change: Partial<Gateway> = {}): Gateway => ({ name: 'gw', connected: true, last_contact: '', not_enforcing: null, source: { source: 'live', interface: 'eth0' }, replay: null, capture_dropped: 0, refused_batches: 0, ...change });
const quiet = { kind: 'operator' as const, incidents: [], watched: [], gateways: [], strongest: null, enforced: false };

describe('headline', () => {
  it('calls when somebody is needed, and only then', () => {
    expect(headline({ ...quiet, incidents: [incident()] }).title).toBe('1 incident needs you');
    expect(headline({ ...quiet, incidents: [incident(), incident({ state: 'triaged' })] }).title).toBe('2 incidents need you');
    const contained = headline({ ...quiet, incidents: [incident({ state: 'contained' })] });
    expect(contained).toMatchObject({ title: '1 incident is contained, not yet closed', tone: 'busy' });
  });

  it('says how sure it is', () => {
    const strongest = { score: 15.84, windows: 57 } as Finding;
    expect(headline({ ...quiet, incidents: [incident()], strongest }).lead).toContain('15.8× the threshold over 57 windows');
  });

  it('says that it cannot spread only when a block took effect', () => {
    const contained = { ...quiet, incidents: [incident({ state: 'contained' })], strongest: { score: 15.84, windows: 57 } as Finding };
    expect(headline({ ...contained, enforced: true }).lead).toContain('it cannot spread');
    expect(headline(contained).lead).not.toContain('cannot spread');
  });

  it('never says all quiet while nothing is judged', () => {
    expect(headline(quiet).title).toBe('Nothing is watched yet');
    expect(headline({ ...quiet, watched: [device({ state: 'learning', progress: 0.42 })] })).toMatchObject({ title: 'Learning what is normal for Detector 3' });
    expect(headline({ ...quiet, watched: [device({ state: 'learning', progress: 0.42 })] }).lead).toContain('42\u00a0%');
    expect(headline({ ...quiet, watched: [device({ state: 'unprotected', reason: 'no traffic' })] })).toMatchObject({ title: '1 device is not protected', lead: 'no traffic' });
    expect(headline({ ...quiet, watched: [device({ state: 'watching' })] }).title).toBe('All quiet: 1 device watched');
  });

  it('tells a CERT who waits for its answer', () => {
    const received = incident({ received_share: 's' });
    expect(headline({ ...quiet, kind: 'cert', incidents: [received] }).title).toBe('1 incident from Harbour Tram and Grid waits for your answer');
    expect(headline({ ...quiet, kind: 'cert', incidents: [received, incident({ received_share: 't', origin_name: 'Water' })] }).title).toBe('2 incidents from 2 organisations wait for your answer');
    expect(headline({ ...quiet, kind: 'cert', incidents: [incident({ received_share: 's', acknowledged_by: 'Marta' })] }).title).toBe('1 incident received, and answered');
    expect(headline({ ...quiet, kind: 'cert' }).title).toBe('No constituent has shared an incident');
  });
});

describe('story', () => {
  const nothing: StoryInput = { gateways: [], source: null, watched: [], incident: null, finding: null, run: null, order: null, share: null, head: null };
  const order = (change: Partial<Order>): Order => ({
    key: 'k', gateway: 'gw', verb: 'block', timeout_s: 60, target: { mac: null, addresses: [] }, state: 'done', outcome: { outcome: 'done', summary: 's' }, requested_at: '', done_at: null, requested_by: '', lifts_at: null, lifted_at: null, seen: null, details: {}, flow: null, why: '', ...change,
  });
  const act = (change: Partial<Order>) => story({ ...nothing, order: order(change) })[3];

  it('has six steps that all wait at first', () => {
    expect(story(nothing).map((step) => step.state)).toEqual(Array(6).fill('waiting'));
  });

  it('claims that a block works only when it was seen to work', () => {
    expect(act({})).toMatchObject({ state: 'done', text: 'Device blocked at the gateway' });
    expect(act({ seen: { forwarded_before: 5, forwarded_after: 5, dropped_after: 1234 } })?.text).toBe('Blocked, and seen to work: 1,234 packets dropped');
    expect(act({ lifted_at: '2026-11-22T20:00:00Z', seen: { forwarded_before: 5, forwarded_after: 5, dropped_after: 9 } })?.text).toBe('The block is lifted');
    expect(act({ state: 'sent', outcome: null })?.state).toBe('now');
    expect(act({ outcome: { outcome: 'not_enforced', reason: 'no namespaces' } })).toMatchObject({ state: 'problem', text: 'Not enforced here: no namespaces' });
    expect(act({ outcome: { outcome: 'failed', reason: 'nft died', retry: false } })).toMatchObject({ state: 'problem', text: 'Failed: nft died' });
  });

  it('shows a silent gateway and a denied share as what they are', () => {
    expect(story({ ...nothing, gateways: [gateway({ connected: false })] })[0]).toMatchObject({ state: 'problem' });
    const denied = { id: 's', state: 'denied', peer_name: 'CERT' } as Share;
    expect(story({ ...nothing, share: denied })[4]).toMatchObject({ state: 'problem', text: 'Policy keeps it from CERT', to: '/shares/s' });
  });
});

describe('domainOf', () => {
  const source = { epoch: 1, at: '2018-07-31T15:00:00Z', start: '2018-07-31T13:00:00Z', end: '2018-08-01T13:00:00Z', sent: 1, total: 2, speed: 720, paused: false, finished: false };
  it('spans the whole replay, or slides', () => {
    expect(domainOf([], source, 'all')).toEqual({ from: Date.parse(source.start), to: Date.parse(source.end) });
    expect(domainOf([], source, '1h')).toEqual({ from: Date.parse('2018-07-31T14:00:00Z'), to: Date.parse(source.at) });
    expect(domainOf([], null, 'all')).toBeNull();
  });
});
