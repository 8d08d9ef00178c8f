// A world for the mock backend: one operator or one CERT, after the whole loop has run.
// Everything is made from fixed numbers, so that screenshots compare.
import { createHash, generateKeyPairSync, sign } from 'node:crypto';

export const ids = {
  operator: '01935a10-0000-7000-8000-000000000001',
  cert: '01935a10-0000-7000-8000-000000000002',
  device: '01935a11-0000-7000-8000-000000000003',
  finding: '01935a12-0000-7000-8000-000000000004',
  incident: '01935a13-0000-7000-8000-000000000005',
  run: '01935a14-0000-7000-8000-000000000006',
  playbook: '01935a15-0000-7000-8000-000000000007',
  share: '01935a16-0000-7000-8000-000000000008',
  peer: '01935a17-0000-7000-8000-000000000009',
};
export const MAC = 'b8:27:eb:7d:6b:a6';
export const CREDIT =
  'Garcia, Parmisano and Erquiaga: IoT-23, capture CTU-IoT-Malware-Capture-8-1, Stratosphere Laboratory, 2020, doi 10.5281/zenodo.4743746, CC BY 4.0. Cut and split for this demonstration.';

const START = Date.parse('2018-07-31T13:15:11.474Z');
const END = Date.parse('2018-08-01T13:15:06.734Z');
const TRAINED = START + 3_555_000;
const ATTACK = Date.parse('2018-07-31T14:24:04.299Z');
export const BLOCKED = ATTACK + 3 * 60_000;
export const packet = (ms) => new Date(ms).toISOString().replace('Z', '000Z');
const opened = Date.now() - 4 * 60_000;
export const wall = (seconds) => new Date(opened + seconds * 1000).toISOString().replace('Z', '000Z');

/** A small deterministic generator (mulberry32). */
function randomOf(seed) {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function scores(upTo = END) {
  const random = randomOf(7);
  const points = [];
  for (let at = TRAINED + 60_000; at < upTo; at += 140_000) {
    const attacking = at >= ATTACK;
    const score = attacking ? 7 + random() * 9 : 0.12 + random() * random() * 0.7;
    points.push({
      start: packet(at), end: packet(at + 10_000), score, alert: score > 1,
      packets_out: attacking ? 3 + Math.floor(random() * 4) : 1 + Math.floor(random() * 2),
      packets_in: attacking ? Math.floor(random() * 2) : 1 + Math.floor(random() * 2),
      bytes_out: 180, bytes_in: 90,
      top_metric: attacking ? 'syn_failed_context' : 'bytes_out',
      measured: attacking ? 34 + Math.floor(random() * 20) : 1, expected: attacking ? 0.02 : 1,
    });
  }
  return points;
}

export const replay = { epoch: 1, at: packet(END), start: packet(START), end: packet(END), sent: 23_623, total: 23_623, speed: 720, paused: false, finished: true };

export const device = {
  id: ids.device, name: 'Tram stop Glòries, detector 3', place: 'Line T4, stop Glòries, cabinet 12', role: 'protected', criticality: 'high',
  mac: MAC, addresses: ['192.168.100.113'], first_seen: packet(START), last_seen: packet(END),
  kind: 'embedded', kind_words: 'small embedded device', kind_confidence: 0.55, maker: 'Raspberry Pi Foundation', names: ['detector-3.local', 'tram-glories-3'],
  protocols: ['dns', 'ntp', 'http', 'mqtt', 'ssh'], parts: ['client'], watch: null,
};
export const bareDevice = {
  ...device, id: '01935a11-0000-7000-8000-000000000013', name: '192.168.100.1', place: null, role: 'infrastructure', criticality: 'low', mac: '00:1b:21:0a:0b:0c', addresses: ['192.168.100.1'],
  kind: 'router', kind_words: 'router, access point or firewall', kind_confidence: 0.86, maker: null, names: [], protocols: ['dns', 'dhcp'], parts: ['router', 'server'],
};
export const evidence = {
  identity: [
    { sensor: 'harbour-gw', kind: 'mac', value: MAC, valid_from: packet(START), valid_to: null, last_seen: packet(END) },
    { sensor: 'harbour-gw', kind: 'ip', value: '192.168.100.113', valid_from: packet(START + 40_000), valid_to: null, last_seen: packet(END) },
    { sensor: 'harbour-gw', kind: 'ip', value: '192.168.100.80', valid_from: packet(START), valid_to: packet(START + 40_000), last_seen: packet(START + 39_000) },
  ],
  known: [{
    sensor: 'harbour-gw', kind: 'small embedded device', confidence: 0.55, maker: 'Raspberry Pi Foundation', mac_is_private: false, beyond: 3,
    reasons: [{ text: 'its DHCP vendor class “udhcp 1.22.1” contains “udhcp”', weight: 0.4 }, { text: 'sleeps: sent in 1.4 % of the time, 118 bytes a frame', weight: 0.4 }, { text: 'asks DHCP for the bare needs only', weight: 0.2 }],
    facts: [
      { what: 'name (DHCP)', value: 'tram-glories-3', first_seen: packet(START), last_seen: packet(END) },
      { what: 'name (multicast DNS)', value: 'detector-3.local', first_seen: packet(START + 9000), last_seen: packet(END) },
      { what: 'uses', value: 'UDP port 53 (dns)', first_seen: packet(START), last_seen: packet(END) },
      { what: 'uses', value: 'TCP port 1883 (mqtt)', first_seen: packet(START), last_seen: packet(TRAINED) },
      { what: 'asks for (DNS)', value: 'telemetry.tram.example', first_seen: packet(START), last_seen: packet(END) },
      { what: 'asks for (TLS)', value: 'telemetry.tram.example', first_seen: packet(START), last_seen: packet(TRAINED) },
      { what: 'DHCP vendor class', value: 'udhcp 1.22.1', first_seen: packet(START), last_seen: packet(END) },
      { what: 'sent', value: '41220 frames, 4863960 bytes in 812 spans of ten seconds', first_seen: packet(START), last_seen: packet(END) },
      { what: 'SSH software', value: 'SSH-2.0-OpenSSH_7.4p1 Raspbian-10+deb9u3', first_seen: packet(START + 60_000), last_seen: packet(TRAINED) },
    ],
  }],
};
export const watched = {
  device: ids.device, name: device.name, state: { state: 'watching' }, model: createHash('sha256').update('model').digest('hex'), windows_scored: 8123, windows_alerting: 5411,
  last_score: 12.4, threshold: 1, alpha: 0.005, measured_false_rate: 0.0043, judges: 'range check and neural network', trained_from: packet(START), trained_to: packet(TRAINED),
  training_windows: 352, windows_unscored: 0, version: 3, protection: 'watched by its own model, version 3',
  learning: { state: 'not now: an alert is open', trust: 0.02, held: null, drifting: false, taught: 38, taught_in_all: 412, kept_out: 5460, on_probation: 2, suppressed: 14 },
};
const version = (number, state, reason, extra) => ({
  version: number, state, reason, made_at: wall(-9000 + number * 3000), trained_from: packet(START), trained_to: packet(TRAINED + number * 600_000), windows: 352 + number * 120, seed: 7, alpha: 0.005,
  held_out_rate: 0.0043, windows_scored: 2100 * number, windows_alerting: 9 * number, alarm_rate: 0.0043, judges: 'range check and neural network',
  file: createHash('sha256').update(`model ${number}`).digest('hex'), config: {}, signature: 'ab'.repeat(64), signed_by: 'cd'.repeat(32), signature_valid: true, ...extra,
});
export const versions = [
  version(4, 'candidate', 'fitted after 120 lessons; alarms more often than version 3 on trusted windows', { alarm_rate: null, windows_scored: 0, windows_alerting: 0, held_out_rate: 0.011 }),
  version(3, 'active', 'fitted after 120 lessons', {}), version(2, 'retired', 'version 3 took its place', {}),
  version(1, 'refused', 'the file is not what was signed', { signature_valid: false }),
];
const machineVersion = (number, state, origin, author, reason, pairs) => ({
  version: number, state, origin, author, reason, made_at: wall(-5000 + number * 900), pairs, functions: 2 * pairs, operations: 41_220, seconds: 3600,
  file: createHash('sha256').update(`commands ${number}`).digest('hex'), signature: 'ab'.repeat(64), signed_by: 'cd'.repeat(32), signature_valid: true,
});
export const machineVersions = [
  machineVersion(2, 'active', 'edited', 'Duty officer', 'The pump may also be set to 7', 2), machineVersion(1, 'retired', 'learned', 'system', 'learned from the first hour', 2),
];
export const machine = {
  edge: 'harbour-gw', state: { state: 'watching' }, protection: 'every command is judged by version 2', version: 2, pairs: 2, functions: 4, operations: 41_220, seconds: 3600, thin: false,
  last_at: packet(ATTACK), judged: 8_412, unusual: 10, informed: 3, suppressed: 0, kept_out: 0, unwatched: 2, waiting: 0, unread: 0, unjudged: 0,
};
export const law = {
  now: { edge: 'harbour-gw', protocol: 'goose', state: { state: 'watching' }, protection: 'every message is judged by version 1', version: 1, known: 2, messages: 7_200, last_at: packet(ATTACK), judged: 3_100, unusual: 3, informed: 1, suppressed: 0, kept_out: 0, unwatched: 0, waiting: 0, untold: 0, unjudged: 0 },
  speakers: [
    { name: 'BAY1/LLN0$GO$Trip', device: '02:00:00:00:07:14', messages: 3_600, rest_ms: 1_000, changes: 4 },
    { name: 'BAY2/LLN0$GO$Interlock', device: '02:00:00:00:07:15', messages: 3_600, rest_ms: 1_000, changes: 0 },
  ],
  speakers_beyond: 0,
  broken_in_training: [{ law: 'late_state', meaning: 'the first message of a state came late', largest: 1, windows: 2 }],
  versions: [{ version: 1, state: 'active', reason: 'learned from 7200 messages over 60 minutes', made_at: wall(-4000), messages: 7_200, from: packet(ATTACK - 3_700_000), to: packet(ATTACK - 100_000), file: createHash('sha256').update('goose 1').digest('hex'), signature: 'ab'.repeat(64), signed_by: 'cd'.repeat(32), signature_valid: true }],
};
export const machineText = `# Commands that are normal here.
version = 1
window_us = 10000000

[training]
operations = 41220
seconds = 3600.0
beyond = 0
widened = 0

[[pair]]
from = "192.168.1.100"
to = "192.168.1.104"
protocol = "modbus"
unit = 1
role = "request"

[[pair.function]]
code = 3
name = "read holding registers"
effect = "read"
count = 41210
most_per_window = 12
`;
export const unusual = (number, more) => ({
  kind: 'unusual_function', first_at: packet(ATTACK + number * 7000), last_at: packet(ATTACK + number * 7000), count: 1, from: '192.168.1.100', to: '192.168.1.104', protocol: 'modbus', unit: 1, role: 'request',
  function: 6, name: 'write single register', effect: 'write', object: 'space 4, point 40', value: 700 + number, why: '192.168.1.100 never asked 192.168.1.104 to write single register', expected: 'only read holding registers', technique: 'T0836', score: 4, ...more,
});
export const comparison = {
  windows: 1000, disagreements: 3,
  a: { version: 2, alerts: 61, alerts_found_again: 58, false_alarms: 2, mean_score: 0.91, max_score: 15.2 }, b: { version: 3, alerts: 62, alerts_found_again: 60, false_alarms: 1, mean_score: 0.88, max_score: 15.8 },
  examples: [{ start: packet(ATTACK - 500_000), role: 'lesson', a: 1.12, b: 0.93 }, { start: packet(ATTACK), role: 'alert', a: 0.97, b: 1.31 }, { start: packet(ATTACK + 10_000), role: 'doubt', a: 0.99, b: 1.02 }],
};
export const suppression = {
  id: '01935a18-0000-7000-8000-000000000010', device: ids.device, finding: ids.finding, scope: 'bytes_out with 192.168.100.1 udp/53', metric: null, peer: '192.168.100.1', protocol: 'udp', port: 53, technique: null,
  ceiling: 4.2, reason: 'The new firmware asks names more often; release note 2.4.', author: 'Duty officer', created_at: wall(-7200), until: new Date(Date.now() + 5 * 86_400_000).toISOString(), revoked_at: null, revoked_by: null, active: true, hits: 14, last_hit_at: wall(-60),
};

const why = [
  { metric: 'syn_failed_context', meaning: 'connection attempts without an answer in 300 s', measured: 41, expected: 0.02, judge: 'range', ratio: 15.8 },
  { metric: 'new_peer_service', meaning: 'packets of a peer and service never seen in training', measured: 3, expected: 0, judge: 'range', ratio: 9.1 },
  { metric: 'syn_out', meaning: 'connection attempts sent in 10 s', measured: 3, expected: 0.01, judge: 'network', ratio: 6.4 },
  { metric: 'peers', meaning: 'distinct remote parties in 10 s', measured: 3, expected: 1.04, judge: 'network', ratio: 1.7 },
];
export const finding = {
  id: ids.finding, device: ids.device, device_name: device.name, device_address: '192.168.100.113', device_mac: MAC, detector: 'aarnn', model: watched.model,
  title: 'Tram stop Glòries, detector 3 keeps calling 178.128.185.250', kind: 'command_and_control', severity: 'high', score: 15.8, why,
  evidence: [
    { peer: '178.128.185.250', protocol: 'tcp', port: 50, packets: 9021, new: true },
    { peer: '128.185.250.50', protocol: 'tcp', port: 50, packets: 3313, new: true },
    { peer: '192.168.100.1', protocol: 'udp', port: 53, packets: 210, new: false },
  ],
  techniques: [
    { framework: 'mitre-attack', id: 'T1071', name: 'Application Layer Protocol' },
    { framework: 'mitre-ics-attack', id: 'T0885', name: 'Commonly Used Port' },
  ],
  first_at: packet(ATTACK), last_at: packet(END), windows: 5411, recorded_at: wall(0),
  explanation: 'Connection attempts without an answer: 41 in 300 s where 0.02 were expected, 15.8 times the threshold, since 14:24 UTC.',
};
export const findingDetail = {
  ...finding, group: '01935a19-0000-7000-8000-000000000011', feedback: null,
  capture: { file: createHash('sha256').update('pcap').digest('hex'), size_bytes: 48_212, packets: 512, from: packet(ATTACK), to: packet(ATTACK + 90_000), source: 'kept by harbour-gw' },
};
export const group = {
  id: findingDetail.group, device: ids.device, device_name: device.name, peer: '178.128.185.250', technique: 'T1071', kind: finding.kind, severity: 'high', title: finding.title,
  first_at: finding.first_at, last_at: finding.last_at, findings: 2, finding_ids: [ids.finding, ids.finding],
};

export const incidentFor = (kind) => ({
  id: ids.incident, title: 'Tram stop Glòries, detector 3 calls a controller outside', state: kind === 'cert' ? 'new' : 'contained', severity: 'high', tlp: 'TLP:AMBER',
  origin: ids.operator, origin_name: 'Harbour Tram and Grid', findings: 1, received_share: kind === 'cert' ? ids.share : null,
  acknowledged_by: kind === 'cert' ? null : 'Marta Puig, Harbour CERT', event_at: packet(ATTACK), recorded_at: wall(kind === 'cert' ? 2 : 0), updated_at: wall(60),
});

export const timelineFor = (kind) =>
  kind === 'cert'
    ? [
        { kind: 'received', text: 'Harbour Tram and Grid shared this incident: 14 objects, signature verified', actor: 'peer:Harbour Tram and Grid', link: null, event_at: null, recorded_at: wall(2) },
        { kind: 'finding', text: 'Finding rebuilt from the bundle: 5,411 windows above the threshold', actor: 'system', link: null, event_at: packet(ATTACK), recorded_at: wall(2) },
      ]
    : [
        { kind: 'finding', text: 'Finding: keeps calling 178.128.185.250, 15.8 times the threshold', actor: 'system', link: `/findings/${ids.finding}`, event_at: packet(ATTACK), recorded_at: wall(0) },
        { kind: 'run', text: 'Playbook “Contain a talking device” started by itself', actor: 'playbook', link: `/runs/${ids.run}`, event_at: null, recorded_at: wall(0.2) },
        { kind: 'lookup', text: '178.128.185.250 is unknown to 2 sources, 9,012 values', actor: 'playbook', link: `/intel?value=178.128.185.250`, event_at: null, recorded_at: wall(0.4) },
        { kind: 'action', text: 'Gateway harbour-gw blocks b8:27:eb:7d:6b:a6 for 1 h; seen to work: 12,188 packets dropped', actor: 'edge:harbour-gw', link: `/runs/${ids.run}`, event_at: packet(BLOCKED), recorded_at: wall(0.9) },
        { kind: 'state', text: 'Contained: the device can no longer reach the outside', actor: 'playbook', link: null, event_at: null, recorded_at: wall(1) },
        { kind: 'share', text: 'Shared with Harbour CERT: policy allows high incidents at TLP:AMBER', actor: 'playbook', link: `/shares/${ids.share}`, event_at: null, recorded_at: wall(1.4) },
        { kind: 'acknowledged', text: 'Marta Puig, Harbour CERT: We have it. Two other operators see the same controller.', actor: 'peer:Harbour CERT', link: `/shares/${ids.share}`, event_at: null, recorded_at: wall(60) },
      ];

const done = (summary, data) => ({ outcome: 'done', summary, data: data ?? {} });
export const order = {
  key: 'run-1-block', gateway: 'harbour-gw', verb: 'block', timeout_s: 3600, details: { verb: 'block', timeout_s: 3600 }, flow: null, why: '', lifted_at: null, target: { mac: MAC, addresses: ['192.168.100.113'] }, state: 'done',
  outcome: done('Gateway harbour-gw blocks b8:27:eb:7d:6b:a6 for 1 h', { proof: { by: 'probe', sent: 1, passed: 0, dropped: 1, counter_before: 0, counter_after: 1, frame: 'from b8:27:eb:7d:6b:a6 to 02:00:5e:00:00:01, UDP' } }), requested_at: wall(0.24), done_at: wall(0.5), requested_by: 'playbook:Contain a talking device',
  lifts_at: new Date(Date.now() + 3_300_000).toISOString(), seen: { forwarded_before: 11_435, forwarded_after: 11_435, dropped_after: 12_188 },
};

// The accountability log, with real hashes and a real signature.
const key = generateKeyPairSync('ed25519');
const sha = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafOf = (text) => sha(Buffer.from([0]), Buffer.from(text));
const nodeOf = (a, b) => sha(Buffer.from([1]), a, b);
const split = (n) => 2 ** Math.floor(Math.log2(n - 1));
const rootOf = (leaves) => (leaves.length === 1 ? leaves[0] : nodeOf(rootOf(leaves.slice(0, split(leaves.length))), rootOf(leaves.slice(split(leaves.length)))));
function pathOf(index, leaves) {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k ? [...pathOf(index, leaves.slice(0, k)), rootOf(leaves.slice(k))] : [...pathOf(index - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

export function ledgerOf(facts, node) {
  const entries = facts.map((fact, index) => ({
    index, at: fact.recorded_at, kind: fact.kind, subject: fact.subject, actor: fact.actor, sentence: fact.sentence, fact_seq: fact.seq,
    leaf_hash: leafOf(JSON.stringify(fact)).toString('hex'), erased: index === 1,
  }));
  const leaves = entries.map((entry) => Buffer.from(entry.leaf_hash, 'hex'));
  const root = rootOf(leaves);
  const head = { origin: `sereno/${node}`, size: leaves.length, root: root.toString('hex'), signed_at: wall(61) };
  const text = `${head.origin}\n${head.size}\n${root.toString('base64')}\n${head.signed_at}\n`;
  head.signature = sign(null, Buffer.from(text), key.privateKey).toString('hex');
  head.key = key.publicKey.export({ format: 'jwk' }).x;
  head.key = Buffer.from(head.key, 'base64url').toString('hex');
  const proof = (index) => ({ index, size: leaves.length, leaf_hash: entries[index].leaf_hash, path: pathOf(index, leaves).map((one) => one.toString('hex')), root: head.root, head });
  return { entries, head, proof };
}
