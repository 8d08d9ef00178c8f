// What happens by itself: the policy, proposals, responses, actuators and secrets, in the contract's shapes.
import { ids, wall } from './data.mjs';
import { triggerOf } from './playbooks.mjs';

const page = (items) => ({ items, next: null, total: items.length });
const refused = (status, title, detail, remedy, errors) => ({ status, body: { type: 'about:blank', title, status, detail, remedy, ...(errors ? { errors } : {}) } });
const soon = (minutes) => new Date(Date.now() + minutes * 60_000).toISOString();

const policy = {
  levels: { low: 'act', medium: 'act', high: 'act', critical: 'ask' }, quiet: [],
  limits: [{ name: 'blocks', actuator: 'gateway', verbs: ['block'], at_most: 20, within_s: 3600 }],
  never: [{ what: '192.168.100.1', reason: 'the router of line T4' }], two_persons_from: 'critical', escalate_after_s: 900, expire_after_s: 86_400, zone_minutes: 60, mail_links: { on: true, roles: ['operator'], persons: [], then_roles: ['analyst'], then_persons: [] }, stopped: null,
};
const proposal = (n, more) => ({
  id: `01935a18-0000-7000-8000-0000000000${n}`, playbook: ids.playbook, name: 'Contain a talking device', incident: ids.incident, level: 'ask',
  reasons: ['the asset is of critical criticality', 'quiet hours from 22:00 to 06:00'], trigger: 'when an incident of severity high or worse is opened here, or becomes that severe',
  given: {}, persons: 2, voices: [{ person: 'Marta Puig', comment: 'The tram stands; go on.', at: wall(2), for: 'Jordi Mas', method: 'link' }], state: 'open', recorded_at: wall(1), expires_at: soon(1320), decided_at: null, decided_by: null, comment: null, run: null, ...more,
});
const proposals = () => [
  proposal('31', { name: 'Ask the maker for a firmware', level: 'recommend', reasons: ["its trigger allows 'recommend' at most"], persons: 1, voices: [], expires_at: soon(60) }),
  proposal('30', {}),
  proposal('29', { name: 'Slow a talking device down', state: 'accepted', persons: 1, voices: [{ person: 'Marta Puig', comment: '', at: wall(-60), for: null, method: 'console' }], decided_at: wall(-60), decided_by: 'Marta Puig', run: ids.run }),
  proposal('28', { name: 'Restart the switch', state: 'expired', persons: 1, voices: [], decided_at: wall(-90), decided_by: 'system', comment: 'nobody answered in time' }),
];
const mail = (n, person, more) => ({ id: `6f1c0a52-0000-4000-8000-0000000000${n}`, kind: 'proposal', about: '01935a18-0000-7000-8000-000000000030', round: 'made', person, for: null, passed_by: null, state: 'sent', reason: null, attempts: 1, recorded_at: wall(1), sent_at: wall(1), expires_at: soon(1320), used_at: null, ...more });
const mails = [mail('41', 'Marta Puig', { for: 'Jordi Mas', used_at: wall(2) }), mail('42', 'Pau Vila', { state: 'queued', sent_at: null, attempts: 3, reason: 'mail.city.example: connection refused' })];
const delegation = (n, more) => ({ id: `6f1c0a53-0000-4000-8000-0000000000${n}`, giver: 'Jordi Mas', taker: 'Marta Puig', kinds: ['proposals', 'steps'], playbook: null, comment: 'on leave', from: wall(-600), until: soon(6000), recorded_at: wall(-600), made_by: 'Jordi Mas', revoked_at: null, revoked_by: null, active: true, ...more });
const response = (playbook, name, value, more) => ({ playbook, name, value, reasons: ['it is meant for this: command-and-control attempts', '4 of 4 runs here succeeded', "'gateway block' cuts off an asset of high criticality"], history: { succeeded: 4, failed: 0 }, level: 'act', level_reasons: [], missing: [], ...more });
const responses = [
  response(ids.playbook, 'Contain a talking device', 0.25, {}),
  response('01935a15-0000-7000-8000-000000000021', 'Slow a talking device down', 0.19, { reasons: ['it is meant for incidents of every kind', 'it has not run here yet', "'gateway rate_limit' may disturb an asset of high criticality"], history: { succeeded: 0, failed: 0 }, level: 'ask', level_reasons: ["its trigger allows 'ask' at most"] }),
  response('01935a15-0000-7000-8000-000000000022', 'Tell the maker', 0.05, { reasons: ['nobody has said what it is meant for', 'it has not run here yet', 'it leaves the asset alone'], history: { succeeded: 0, failed: 0 }, level: null, level_reasons: ['it has no trigger'] }),
  response('01935a15-0000-7000-8000-000000000023', 'Restart the switch', -0.19, { reasons: ['it is meant for other kinds of attack', '0 of 1 runs here succeeded', "'a command of the type ssh' may disturb an asset of high criticality"], history: { succeeded: 0, failed: 1 }, level: 'ask', missing: ["step 'Restart' needs the secret 'switch-login'; there is none of that name"] }),
];
const verb = (name, does) => ({ verb: name, does });
const actuators = [
  { name: 'bash', configured: false, remedy: 'Set [playbooks.actuators.bash] enabled = true; it needs Linux 5.13 with Landlock.', verbs: [verb('run', 'a shell command in a sandbox')], commands: ['bash'] },
  { name: 'console', configured: true, remedy: null, verbs: [verb('notify', 'tells the people at the console: title, body, link')], commands: ['manual'] },
  { name: 'exchange', configured: true, remedy: null, verbs: [verb('share', 'shares the incident with a peer: peer, tlp')], commands: [] },
  { name: 'gateway', configured: true, remedy: null, verbs: [verb('block', 'cuts a device off: mac or addresses, timeout_s'), verb('release', 'lifts a block'), verb('rate_limit', 'narrows a device: mac, packets_per_s')], commands: [] },
  { name: 'http-api', configured: true, remedy: null, verbs: [verb('request', 'one HTTP request')], commands: ['http-api'] },
  { name: 'mail', configured: false, remedy: 'Set [playbooks.actuators.mail] server, from and to, and keep the password as a secret.', verbs: [verb('send', 'a message: to, subject, body')], commands: [] },
  { name: 'mattermost', configured: true, remedy: null, verbs: [verb('send', 'a message into a channel: channel, text')], commands: [] },
];
const TESTS = { mattermost: { ok: false, summary: 'chat.city.example does not answer: connection refused' }, gateway: { ok: true, summary: 'harbour-gw is connected and enforces' } };

export function automationWorld(scene) {
  const stopped = scene === 'stopped' ? { by: 'Ana', reason: 'Works on line T4 until noon', at: wall(3) } : null;
  const quiet = scene === 'proposed' ? [{ from: '22:00', until: '06:00', level: 'ask' }] : [];
  const keys = [{ fingerprint: 'ab'.repeat(32), name: 'City CERT, playbooks', added_at: wall(-5000), revoked_at: null }];
  return { policy: { ...policy, quiet, stopped }, proposals: scene === 'proposed' ? proposals() : [], delegations: scene === 'proposed' ? [delegation('51', {})] : [], secrets: [{ name: 'chat', hosts: ['chat.city.example'], set_by: 'administrator', set_at: wall(-900) }], keys };
}

function put(w, body) {
  const errors = [];
  if (body.expire_after_s <= body.escalate_after_s) errors.push('expire_after_s must be more than escalate_after_s, and that more than 0');
  if (errors.length > 0) return refused(422, 'The policy cannot be taken', 'this policy of automation cannot be taken; nothing was changed', 'Mend what is named.', errors);
  w.automation.policy = { ...body, stopped: w.automation.policy.stopped };
  return w.automation.policy;
}

function answer(w, id, body) {
  const one = w.automation.proposals.find((each) => each.id === id);
  if (!body.accept) Object.assign(one, { state: 'declined', decided_by: 'administrator', comment: body.comment });
  else {
    one.voices = [...one.voices, { person: 'administrator', comment: body.comment, at: new Date().toISOString(), for: null, method: 'console' }];
    if (one.voices.length >= one.persons) Object.assign(one, { state: 'accepted', run: ids.run });
  }
  return one;
}

export const reads = [
  [/^\/automation$/, (w) => w.automation.policy],
  [/^\/proposals$/, (w, url) => {
    const state = url.searchParams.get('state');
    return page(w.automation.proposals.filter((one) => !state || (state === 'decided' ? one.state !== 'open' : one.state === state)));
  }],
  [/^\/answer-mails$/, (_, url) => page(mails.filter((one) => one.about === url.searchParams.get('about')))],
  [/^\/delegations$/, (w) => page(w.automation.delegations)],
  [/^\/incidents\/[^/]+\/responses$/, (w) => (w.bare ? [] : responses)],
  [/^\/actuators$/, () => ({ items: actuators })],
  [/^\/secrets$/, (w) => ({ items: w.automation.secrets })],
  [/^\/playbook-keys$/, (w) => ({ signatures: 'warn', configured: ['cd'.repeat(32)], items: w.automation.keys })],
];

export const writes = [
  [/^\/automation\/stop$/, (w, body) => ((w.automation.policy.stopped = { by: 'administrator', reason: body.reason, at: new Date().toISOString() }), w.automation.policy)],
  [/^\/automation\/resume$/, (w) => ((w.automation.policy.stopped = null), w.automation.policy)],
  [/^\/automation$/, put],
  [/^\/me\/mail$/, (_, body) => body],
  [/^\/(?:proposals|runs)\/.+\/ask$/, (_, body) => ({ person: body.person, mailed: true })],
  [/^\/delegations$/, (w, body) => {
    const made = delegation('52', { giver: 'administrator', taker: body.taker, kinds: body.kinds, comment: body.comment, from: new Date().toISOString(), until: body.until, made_by: 'administrator' });
    w.automation.delegations = [made, ...w.automation.delegations];
    return made;
  }],
  [/^\/delegations\/([^/]+)$/, (w, _, match) => void (w.automation.delegations = w.automation.delegations.filter((one) => one.id !== match[1]))],
  [/^\/proposals\/([^/]+)\/answer$/, (w, body, match) => answer(w, match[1], body)],
  [/^\/runs$/, () => ({ id: ids.run })],
  [/^\/actuators\/([^/]+)\/test$/, (_, __, match) => TESTS[match[1]] ?? { ok: null, summary: 'there is nothing to ask without doing something' }],
  [/^\/secrets\/([^/]+)$/, (w, body, match, method) => {
    const rest = w.automation.secrets.filter((one) => one.name !== match[1]);
    w.automation.secrets = method === 'DELETE' ? rest : [...rest, { name: match[1], hosts: body.hosts, set_by: 'administrator', set_at: new Date().toISOString() }];
  }],
  [/^\/playbook-keys$/, (w, body) => {
    const made = { fingerprint: 'cd'.repeat(32), name: body.name, added_at: new Date().toISOString(), revoked_at: null };
    w.automation.keys = [...w.automation.keys, made];
    return made;
  }],
  [/^\/playbook-keys\/([^/]+)\/revoke$/, (w, _, match) => void w.automation.keys.filter((one) => one.fingerprint === match[1]).forEach((one) => (one.revoked_at = new Date().toISOString()))],
  [/^\/playbook-keys\/([^/]+)$/, (w, _, match) => void (w.automation.keys = w.automation.keys.filter((one) => one.fingerprint !== match[1]))],
  [/^\/runs\/([^/]+)\/(pause|resume)$/, (w, _, match) => {
    w.playbooks.runs = w.playbooks.runs.map((one) => (one.id === match[1] ? { ...one, state: match[2] === 'pause' ? 'paused' : 'waiting' } : one));
    return w.playbooks.runs.find((one) => one.id === match[1]);
  }],
  [/^\/playbooks\/([^/]+)\/triggers$/, (w, body, match) => {
    const made = triggerOf(match[1], `01935a16-0000-7000-8000-0000000000${40 + (w.playbooks.triggers[match[1]] ?? []).length}`, body);
    w.playbooks.triggers[match[1]] = [...(w.playbooks.triggers[match[1]] ?? []), made];
    return body.on === 'webhook' ? { ...made, secret: 'whsec_bWFkZSB1cCBmb3IgdGhlIG1vY2sgc2VydmVyIG9ubHk=' } : made;
  }],
  [/^\/playbooks\/([^/]+)\/triggers\/([^/]+)$/, (w, body, match, method) => {
    const own = w.playbooks.triggers[match[1]] ?? [];
    if (method === 'DELETE') return void (w.playbooks.triggers[match[1]] = own.filter((one) => one.id !== match[2]));
    const made = triggerOf(match[1], match[2], body);
    w.playbooks.triggers[match[1]] = own.map((one) => (one.id === match[2] ? made : one));
    return made;
  }],
  [/^\/playbooks\/([^/]+)\/triggers\/([^/]+)\/(rotate|revoke)$/, (w, _, match) => {
    const own = w.playbooks.triggers[match[1]] ?? [];
    w.playbooks.triggers[match[1]] = own.map((one) => (one.id === match[2] ? { ...one, hook: match[3] === 'rotate' ? `/api/v1/hooks/${one.id}` : null } : one));
    const one = w.playbooks.triggers[match[1]].find((each) => each.id === match[2]);
    return match[3] === 'rotate' ? { ...one, secret: 'whsec_YW5vdGhlciBvbmUgZm9yIHRoZSBtb2NrIHNlcnZlcg==' } : one;
  }],
];
