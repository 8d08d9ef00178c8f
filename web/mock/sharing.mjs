// Made-up communities, policies, previews and exchange of objects, in the contract's shapes.
import { items } from './knowledge.mjs';

const wall = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const uuid = (n) => `00000000-0000-4000-8000-0000000001${String(n).padStart(2, '0')}`;

const organisation = (n, name, kind, more = {}) => ({ id: uuid(n), peer: uuid(n + 20), own: false, has_node: true, name, kind, sector: '', country: '', note: '', ...more });
export const organisations = [
  organisation(1, 'Harbour Tram and Grid', 'operator', { own: true, peer: null, sector: 'transport', country: 'PT' }),
  organisation(2, 'Harbour CERT', 'cert', { country: 'PT' }),
  organisation(3, 'Valley Water', 'operator', { sector: 'water', country: 'ES' }),
];

const community = (n, name, more = {}) => ({
  id: uuid(n), name, description: 'What its members tell each other.', max_tlp: 'TLP:AMBER', contribute: 'members', roster: 'members', onward: false, led: true, leader: 'Harbour Tram and Grid', leader_node: uuid(1),
  role: 'leader', state: 'active', holds: true, not_after: null, updated_at: wall(90), handovers: 0, offer: null, ...more,
});
export const communities = [community(11, 'Trams of the coast'), community(12, 'National circle', { handovers: 1, offer: { to: uuid(1), ours: true, expires_at: wall(-9_000), members: ['Valley Water'] }, led: false, leader: 'Harbour CERT', role: 'contributor', not_after: wall(-200_000) }), community(13, 'Old circle', { led: false, leader: 'Valley Water', role: 'reader', holds: false, not_after: wall(600) }), community(14, 'Water circle', { led: false, leader: 'Valley Water', role: 'reader', state: 'refused', holds: false, refusal: 'no such community stands between us' })];
export const oneCommunity = (wanted) => {
  const found = communities.find((each) => each.id === wanted) ?? communities[0];
  return { ...found, members: [{ node: uuid(2), organisation: 'Harbour CERT', role: 'reader', state: 'active', holds: true, serial: 2, not_after: wall(-200_000) }, { node: uuid(3), organisation: 'Valley Water', role: 'contributor', state: 'expelled', holds: false, serial: 1, not_after: wall(-100_000) }] };
};
export const invitation = { version: 1, community: uuid(11), name: 'Trams of the coast', leader: uuid(1), leader_key: 'ab'.repeat(32), node: uuid(2), role: 'contributor', expires_at: wall(-10_080), code: 'made-up', signature: 'cd'.repeat(64) };

const invited = (n, state, more = {}) => ({ id: `${n}`.repeat(64).slice(0, 64), node: uuid(2), organisation: 'Harbour CERT', role: 'reader', state, made_by: 'administrator', made_at: wall(300), expires_at: wall(-20_000), used_at: null, ...more });
export const invitations = [invited(1, 'open', { node: uuid(3), organisation: 'Valley Water' }), invited(2, 'used', { role: 'contributor', used_at: wall(200) }), invited(3, 'withdrawn')];

const policy = (id, effect, words, more = {}) => ({ id, built_in: true, effect, reason: words, words, text: `@id("${id}")\n@reason("${words}")\n${effect} (principal, action == Action::"share", resource);`, version: null, changed_by: null, changed_at: null, ...more });
export const policies = [
  policy('water.first', 'permit', 'Objects of type indicator marked TLP:GREEN or freer may go to organisations of sector water.', { built_in: false, version: 3, changed_by: 'administrator', changed_at: wall(500) }),
  policy('permit.clear', 'permit', 'Objects marked TLP:CLEAR may go.'),
  policy('pap.red', 'forbid', 'Objects marked PAP:RED never go.'),
];
const trial = (name, expected, passed) => ({ test: { name, expected, recipient: { id: '', name: '', kind: 'cert', sector: '', country: 'PT', communities: [] }, object: { type: 'indicator', tlp: 'TLP:GREEN', pap: null, confidence: null, labels: [], received: false, origin: null, source: null, through: null, onward: null, to_community: null, ceiling: null } }, result: { name, passed, expected, allowed: passed === expected, reason: 'allowed because TLP:GREEN may go within a community' } });
export const tests = [trial('A CERT gets green indicators', true, true), trial('Water gets no amber', false, false)];
const rule = (id, name, action, more = {}) => ({ id, name, to: { kinds: [], organisations: [], communities: [] }, types: [], action, paused: false, ...more });
export const redactions = [rule('r-01', 'Own addresses', { do: 'pseudonymise' }), rule('r-02', 'Internal notes', { do: 'remove', properties: ['x_internal_*'] }, { types: ['indicator'], to: { kinds: ['vendor'], organisations: [], communities: [] }, paused: true })];

const objects = items.slice(0, 3);
const receiver = (at, more, goes) => ({
  name: organisations[at].name, organisation: organisations[at].id, peer: organisations[at].peer, community: null, community_name: null,
  allowed: goes.filter(Boolean).length, withheld: goes.filter((one) => !one).length, redacted: goes.some(Boolean) ? 1 : 0,
  reasons: goes.every(Boolean) ? [] : [{ reason: 'denied because it is marked above the highest TLP of the community', objects: goes.filter((one) => !one).length }], rules: [],
  answers: objects.map((object, row) => ({ object: object.id, allowed: goes[row], reason: goes[row] ? 'allowed because it is shared with a community that the recipient belongs to' : 'denied because it is marked above the highest TLP of the community', policies: [goes[row] ? 'permit.community' : 'community.ceiling'], redactions: goes[row] && row === 0 ? [{ rule: 'r-01', place: '/description' }] : [] })),
  ...more,
});
const table = [[true, false, true], [false, false, false]];
export const preview = {
  objects: objects.map((object, row) => ({ id: object.id, type: object.type, name: object.name, tlp: object.tlp, origin: ['own', 'feed', 'misp'][row], source: ['Duty officer', 'ipsum', 'MISP: CIRCL'][row], goes: table.map((goes) => goes[row]) })),
  missing: [], next: null, next_recipient: null,
  recipients: [receiver(1, { community: uuid(11), community_name: 'Trams of the coast' }, table[0]), receiver(2, {}, table[1])],
};

export const links = [
  { peer: uuid(22), name: 'Harbour CERT', way: 'we-call', queued: 0, under_way: 0, out_seq: 41, in_seq: 7, refused: 0, last_refusal: null, last_contact: wall(0.2), last_error: null },
  { peer: uuid(23), name: 'Valley Water', way: 'it-calls', queued: 12, under_way: 1, out_seq: 5, in_seq: 2, refused: 1, last_refusal: 'letter 2 was received before with other content', last_contact: wall(300), last_error: 'it has not called for 5 hours' },
];
const hand = (n, state, reason = null) => ({ peer: uuid(22), peer_name: 'Harbour CERT', object: objects[n].id, community: null, state, reason, version: state === 'received' ? wall(900) : null, tlp: objects[n].tlp, changed_at: wall(2) });
export const share = { id: uuid(31), kind: 'person', made_by: 'administrator', note: 'Seen on two trams', recorded_at: wall(3), counts: { received: 1, withheld: 1, queued: 1 }, objects: [hand(0, 'received'), hand(1, 'withheld', 'denied because TLP:AMBER goes only to members'), hand(2, 'queued')] };
export const retraction = {
  id: uuid(41), made_by: 'administrator', reason: 'It was our own scanner', recorded_at: wall(1), counts: { acknowledged: 1, waiting: 1 },
  objects: [{ peer: uuid(22), peer_name: 'Harbour CERT', object: objects[0].id, state: 'acknowledged', changed_at: wall(1) }, { peer: uuid(23), peer_name: 'Valley Water', object: objects[0].id, state: 'waiting', changed_at: wall(1) }],
  behind: [{ peer: uuid(22), peer_name: 'Harbour CERT', reached: 4, acknowledged: 3 }],
};
