// What the mock shares: a STIX bundle, the share with its receipt, peers, intelligence.
import { createHash } from 'node:crypto';
import { BLOCKED, ids, packet, wall } from './data.mjs';

const uuid = (name) => {
  const hex = createHash('sha1').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
};
const object = (type, name, extra) => ({ type, spec_version: '2.1', id: `${type}--${uuid(type + name)}`, created: wall(1), modified: wall(1), ...extra });

const operator = object('identity', 'operator', { name: 'Harbour Tram and Grid', identity_class: 'organization', sectors: ['transportation', 'energy'] });
const incident = object('incident', 'incident', { name: 'Tram stop Glòries, detector 3 calls a controller outside', created_by_ref: operator.id });
const malware = object('attack-pattern', 't1071', { name: 'Application Layer Protocol', external_references: [{ source_name: 'mitre-attack', external_id: 'T1071' }] });
const infrastructure = object('infrastructure', 'c2', { name: 'Controller on TCP port 50', infrastructure_types: ['command-and-control'] });
const one = object('ipv4-addr', 'a', { value: '178.128.185.250' });
const two = object('ipv4-addr', 'b', { value: '128.185.250.50' });
const inside = object('ipv4-addr', 'c', { value: '87.241.16.9' });
const traffic = object('network-traffic', 't', { protocols: ['ipv4', 'tcp'], dst_port: 50, src_ref: inside.id, dst_ref: one.id });
const indicator = object('indicator', 'i', { name: 'Calls to the controller', pattern: "[network-traffic:dst_ref.value = '178.128.185.250' AND network-traffic:dst_port = 50]", pattern_type: 'stix', valid_from: wall(1) });
const observed = object('observed-data', 'o', { number_observed: 5411, first_observed: packet(BLOCKED - 180_000), last_observed: packet(BLOCKED), object_refs: [traffic.id, inside.id, one.id, two.id], name: 'Windows above the threshold' });
const sighting = object('sighting', 's', { sighting_of_ref: indicator.id, observed_data_refs: [observed.id], where_sighted_refs: [operator.id], count: 5411 });
const course = object('course-of-action', 'coa', { name: 'Block the device at its gateway' });
const relate = (from, type, to) => object('relationship', `${from.id}${type}${to.id}`, { relationship_type: type, source_ref: from.id, target_ref: to.id });
const tlp = { type: 'marking-definition', spec_version: '2.1', id: 'marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421', name: 'TLP:AMBER', created: wall(1) };

export const bundle = {
  type: 'bundle',
  id: `bundle--${uuid('bundle')}`,
  objects: [
    operator, incident, malware, infrastructure, one, two, inside, traffic, indicator, observed, sighting, course, tlp,
    relate(indicator, 'indicates', infrastructure), relate(infrastructure, 'consists-of', one), relate(infrastructure, 'consists-of', two),
    relate(infrastructure, 'uses', malware), relate(course, 'mitigates', malware), relate(incident, 'related-to', indicator), relate(course, 'related-to', incident),
  ],
};

export const share = {
  id: ids.share, incident: ids.incident, peer: ids.peer, peer_name: 'Harbour CERT', state: 'acknowledged', tlp: 'TLP:AMBER',
  decision: { allowed: true, reason: 'Incidents of severity high may go to our CERT at TLP:AMBER or freer', policies: ['share-with-cert'] },
  objects: bundle.objects.length, pseudonymised: 1, decided_at: wall(1), delivered_at: wall(1.5), acknowledged_at: wall(60),
  receipt: { verified: true, digest: createHash('sha256').update('bundle').digest('hex'), signed_at: wall(1.5), key: createHash('sha256').update('cert').digest('hex') },
  answer: { by: 'Marta Puig, Harbour CERT', text: 'We have it. Two other operators see the same controller.', at: wall(60) }, attempts: 1, last_error: null,
};
export const history = [
  { at: wall(1), text: 'Policy share-with-cert allowed it' },
  { at: wall(1.1), text: 'Signed and queued' },
  { at: wall(1.5), text: 'Delivered; receipt verified' },
  { at: wall(60), text: 'Acknowledged by Marta Puig, Harbour CERT' },
];
export const peersFor = (kind) => [
  {
    id: ids.peer, name: kind === 'cert' ? 'Harbour Tram and Grid' : 'Harbour CERT', url: 'https://localhost:4701/taxii2/', state: 'reachable', last_contact: wall(200),
    fingerprint: createHash('sha256').update(kind).digest('hex'), direction: kind === 'cert' ? 'they send' : 'we send',
  },
];
export const sources = [
  { name: 'ipsum (sample)', values: 9012, loaded_at: wall(-600), licence: 'Unlicense' },
  { name: 'own sightings', values: 2, loaded_at: wall(2), licence: 'own' },
];
export const lookup = (value) =>
  value.startsWith('45.')
    ? { value, known: true, summary: 'on 7 public block lists (ipsum)', sources: [{ name: 'ipsum (sample)', score: 7, object: `indicator--${uuid(value)}`, named: value, score_now: 62, threshold: 20, standing: 'lives', excused_by: null, until: null, reports: 0 }], excused_by: null }
    : { value, known: false, summary: 'unknown to 2 sources, 9,014 values', sources: [], excused_by: null };
