// Made-up objects and feeds, in the contract's shapes.
const wall = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const id = (type, n) => `${type}--00000000-0000-4000-8000-00000000000${n}`;
const item = (type, n, name, more = {}) => ({ id: id(type, n), type, name, tlp: 'TLP:GREEN', confidence: 80, revoked: false, source: 'Harbour CERT', created: wall(9000), modified: wall(900), known_at: wall(30), score_now: type === 'indicator' ? 41.3 : null, standing: type === 'indicator' ? 'lives' : null, ...more });

export const items = [
  item('malware', 1, 'Night Heron'), item('indicator', 2, 'Controller of Night Heron', { tlp: 'TLP:AMBER' }), item('intrusion-set', 3, 'Grey Egret'), item('tool', 4, 'Egret Kit', { revoked: true, confidence: null }),
];
export const found = { items, next: null, by_type: ['malware', 'indicator', 'intrusion-set', 'tool'].map((type) => ({ type, count: 1 })), total: 4, more_than_total: false };
export const offers = [{ text: 'type:', hint: 'a STIX type, e.g. indicator', from: 0 }, { text: 'tlp:', hint: 'clear, green, amber, amber+strict, red', from: 0 }];

export function object(wanted) {
  const one = items.find((each) => each.id === wanted) ?? items[0];
  return {
    item: one,
    object: { type: one.type, spec_version: '2.1', id: one.id, name: one.name, description: 'Made up for building this page.' },
    said: [{ source: 'Harbour CERT', kind: 'peer', confidence: 80, first_at: wall(40), last_at: wall(3) }],
    versions: [{ version: wall(900), known_at: wall(30), superseded_at: null, revoked: false, source: 'Harbour CERT' }, { version: wall(9000), known_at: wall(4000), superseded_at: wall(30), revoked: false, source: 'Harbour CERT' }],
    relations: [{ kind: 'indicates', count: 1 }],
    values: [{ value: '198.51.100.7', kind: 'address', held: 3, too_common: false, excused_by: null, standing: { score: 41.3, base: 80, threshold: 20, word: 'lives', since: wall(9000), until: wall(-9000), reports: 1, repeated: 12 } }, { value: '192.0.2.53', kind: 'address', held: 900, too_common: false, excused_by: 'Our resolvers', standing: null }],
  };
}

const relation = (from, kind, to) => ({ origin: from.id, target: to.id, kind, told_by: id('relationship', 9), known_at: wall(30) });
const marking = item('marking-definition', 8, 'TLP:GREEN');
export const relations = { relations: [relation(items[1], 'indicates', items[0]), relation(items[2], 'uses', items[0]), relation(items[0], 'marked-by', marking)], objects: [...items.slice(0, 3), marking], next: null };

const counts = { records: 120_430, new: 12, updated: 3, same: 109_385, duplicate: 0, well_known: 11_030, rejected: 2, rejected_by: { 'unknown-kind': 2 }, gone: 4, skipped: 7, bytes: 1_994_000 };
const feed = (name, more) => ({ id: `00000000-0000-4000-8000-${name.padEnd(12, '0').replace(/[^0-9a-f]/g, '0')}`, name, url: `https://${name}.example/list.txt`, format: { form: 'plain', kinds: ['ipv4'], value: 0, score: 1 }, every_minutes: 60, tlp: 'TLP:CLEAR', licence: '', whole: true, state: 'fine', last_error: null, last_try: wall(5), last_ok: wall(5), next_at: wall(-55), counts, ...more });
export const feeds = [feed('ipsum', {}), feed('moved', { state: 'failing', last_error: 'https://moved.example/list.txt answers 404 Not Found', counts: null }), feed('kept by hand', { url: null, next_at: null, state: 'never', last_try: null, last_ok: null, counts: null })];

const cell = (n, name, total, below = []) => ({ id: `T000${n}`, name, number: total - below.reduce((sum, one) => sum + one.number, 0), total, covered: below.filter((one) => one.number > 0).length, below });
const sub = (n, part, name, number) => ({ id: `T000${n}.00${part}`, name, number, total: number, covered: 0, below: [] });
export const matrix = {
  domains: ['ics-attack'],
  matrix: { domain: 'ics-attack', name: 'ATT&CK for ICS', techniques: 4, sub_techniques: 2, covered: 3, not_placed: [], columns: [
    { id: 'TA0108', name: 'Initial Access', short_name: 'initial-access', covered: 1, cells: [cell(1, 'Drive-by Compromise', 0), cell(2, 'Spearphishing', 12, [sub(2, 1, 'Attachment', 9), sub(2, 2, 'Link', 0)])] },
    { id: 'TA0105', name: 'Impact', short_name: 'impact', covered: 2, cells: [cell(3, 'Loss of Availability', 140), cell(4, 'Loss of Control', 3)] },
  ] },
  statements: ['Made up for building this page.'],
};

const collection = (n, title, kind, more = {}) => ({ id: `00000000-0000-4000-8000-00000000000${n}`, root: 'sereno', alias: title.toLowerCase().replaceAll(' ', '-'), title, description: '', kind, objects: 12_400 * n, ...more });
export const collections = [collection(1, 'Inbox', 'inbox'), collection(2, 'Harbour sector', 'closed', { description: 'What the harbours of the region tell each other.' }), collection(3, 'Public', 'open', { root: 'public' })];
export const roots = [{ name: 'sereno', title: 'Sereno', description: '', max_content_length: 104_857_600, seen_by: [] }, { name: 'public', title: 'Public lists', description: '', max_content_length: 1_048_576, seen_by: ['taxii'] }];
const kind = (name, lifetime_days, decay_speed, chosen_by = null) => ({ kind: name, lifetime_days, decay_speed, threshold: 20, default_base: 70, sighting_gain: 0.2, false_positive_cost: 0.4, chosen_by });
export const decay = { formula: 'score(t) = base × (1 − (t/τ)^(1/δ)), 0 from τ on; base = confidence × weight of the source', kinds: [kind('address', 14, 2, 'Duty officer'), kind('domain', 120, 1), kind('hash', 730, 0.3)], sources: [{ key: 'peer:1', name: 'Harbour CERT', weight: 100 }] };
export const warninglists = [
  { name: 'Our resolvers', description: 'Name servers of the city.', version: 3, matching: 'cidr', entries: 4, left_out: 0, origin: 'loaded', added_by: 'Duty officer', added_at: wall(600) },
  { name: 'List of known IPv4 public DNS resolvers', description: 'Event contains one or more public IPv4 DNS resolvers as attribute with an IDS flag set', version: 20, matching: 'string', entries: 6120, left_out: 0, origin: 'shipped', added_by: null, added_at: null },
];
const candidate = (key, doubts, more = {}) => ({ key, kind: key.split(':')[0], value: key.slice(key.indexOf(':') + 1), defanged: key.slice(key.indexOf(':') + 1).replaceAll('.', '[.]'), spelling: '', count: 1, line: 3, start: 10, end: 20, context: 'The second stage came from hxxp://bad-host-4711[.]top/a and used CVE-2026-12345.', suggestion: doubts.length ? 'doubt' : 'accept', doubts, warninglists: [], pattern: null, ...more });
export const review = { sha256: 'a'.repeat(64), stored_as: [], untold: 0, candidates: [candidate('url:http://bad-host-4711.top/a', []), candidate('ipv4:192.0.2.53', ['warninglist', 'already-known'], { warninglists: ['Our resolvers'] }), candidate('technique:T0826', [])] };
export const stored = { report: id('report', 7), stored: { objects: 3, new: 3, updated: 0, older: 0, same: 0, conflicts: 0, refused: 0, problems: [] }, skipped: [] };
const hook = (name, more) => ({ id: `00000000-0000-4000-8000-0000000000${name.length}`, name, url: `https://${name}.example.org/in`, events: ['object.new', 'object.revoked', 'sighting'], types: ['indicator'], labels: [], tlp: 'TLP:GREEN', state: 'fine', paused_because: null, failures: 0, delivered: 1204, waiting: 0, dead: 0, dropped: 0, last_ok: wall(2), last_error: null, both_until: null, created_by: 'Duty officer', created_at: wall(9000), ...more });
export const webhooks = [hook('soar', {}), hook('tickets', { state: 'paused', paused_because: '24 tries failed in a row, the last: tickets.example.org answers 500 Internal Server Error', failures: 24, waiting: 37, dead: 3 })];
export const licences = [{ name: 'ipsum', terms: 'Unlicense', text: 'This is free and unencumbered software released into the public domain.', origin: 'shipped' }, { name: 'ATT&CK and CAPEC', terms: "MITRE's terms of use", text: 'Made up for building this page.', origin: 'loaded' }, { name: 'Harbour CERT', terms: 'CC BY 4.0', text: null, origin: 'source' }];
export const layout = { positions: { [items[0].id]: [0, 0], [items[1].id]: [200, -60], [items[2].id]: [200, 60] } };
export const layouts = [{ name: items[0].id, kept_at: wall(20) }];

const importState = (n, more = {}) => ({ id: `00000000-0000-4000-8000-0000000000a${n}`, name: 'enterprise-attack.json', label: 'ATT&CK', bytes: 46_108_411, state: 'done', error: '', objects: 24_771, settled: 24_771, new: 24_100, updated: 660, older: 0, same: 8, conflicts: 1, refused: 2, made_at: wall(4), ended_at: wall(3), ...more });
export const imports = [importState(1, { name: 'case-17.json', label: '', bytes: 812_000, state: 'storing', objects: 6_000, settled: 2_050, new: 2_048, updated: 0, same: 0, conflicts: 0, ended_at: null, made_at: wall(0.1) }), importState(2), importState(3, { name: 'half.json', state: 'failed', objects: 0, settled: 0, new: 0, updated: 0, same: 0, conflicts: 0, refused: 0, error: 'line 1, column 812: the text ends inside a list' })];
export const importProblems = [{ index: 17, id: id('tool', 4), reason: 'name (§4.17): a required property is missing' }, { index: 3_001, id: '', reason: 'not a JSON object' }];
const push = (n, name, more = {}) => ({ id: `00000000-0000-4000-8000-0000000000b${n}`, name, url: 'https://taxii.example.org/api/collections/1/', auth: { scheme: 'basic', user: 'sereno' }, origin: { what: 'known', types: ['indicator'] }, highest: 'TLP:GREEN', every_minutes: 60, state: 'fine', last_error: null, last_try: wall(12), last_ok: wall(12), next_at: wall(-48), sent: 412, withheld: 31, pending: 0, failed: 2, ...more });
export const pushes = [push(1, 'national'), push(2, 'misp of the sector', { auth: { scheme: 'key' }, origin: { what: 'events' }, highest: 'TLP:AMBER', url: 'https://misp.example.org/', state: 'failing', last_error: 'misp.example.org answers 403 Forbidden' })];
