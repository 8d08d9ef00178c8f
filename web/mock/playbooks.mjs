// Playbooks, runs and the people they wait for, in the contract's shapes; all ids are made up.
import { ids, device, MAC, wall } from './data.mjs';

const id = (type, n) => `${type}--00000000-0000-4000-8000-0000000000${String(n).padStart(2, '0')}`;
const S = {
  start: id('start', 1), lookup: id('action', 2), severe: id('if-condition', 3), block: id('action', 4), ask: id('action', 5), decided: id('end', 6), tell: id('parallel', 7), cert: id('action', 8), desk: id('action', 9), told: id('end', 10), end: id('end', 11),
};
const AGENTS = { intel: id('x-sereno-actuator', 21), gateway: id('x-sereno-actuator', 22), exchange: id('x-sereno-actuator', 23), console: id('x-sereno-actuator', 24), desk: id('organization', 25) };
const NAME = 'Contain a talking device';
const asked = (command, args) => [{ type: 'x-sereno-actuator', command, arguments: args }];
const agent = (name) => ({ type: 'x-sereno-actuator', name });

export const cacao = {
  type: 'playbook', spec_version: 'cacao-2.0', id: 'playbook--7f0c2a14-6c0b-4b7e-9f6d-1f3f0d4f9a01', name: NAME,
  description: 'Looks the remote party up, blocks the device at its gateway, tells the CERT and the desk.', playbook_types: ['mitigation', 'notification'],
  created_by: 'identity--00000000-0000-4000-8000-000000000031', created: '2026-11-01T08:00:00.000Z', modified: '2026-11-20T08:00:00.000Z', severity: 70, labels: ['containment'],
  playbook_variables: {
    __severity__: { type: 'string', description: 'Severity of the incident', external: true }, __device__: { type: 'string', description: 'Name of the device', external: true },
    __peer__: { type: 'ipv4-addr', description: 'The remote party', external: true }, __known__: { type: 'bool', value: 'false' },
  },
  workflow_start: S.start,
  workflow: {
    [S.start]: { type: 'start', name: 'An incident was opened', on_completion: S.lookup },
    [S.lookup]: { type: 'action', name: 'Look the remote party up', agent: AGENTS.intel, commands: asked('lookup', { values: '__peer__:value' }), in_args: ['__peer__'], out_args: ['__known__'], on_completion: S.severe },
    [S.severe]: { type: 'if-condition', name: 'Is it severe?', condition: "__severity__:value IN ('high', 'critical')", on_true: S.block, on_false: S.ask, on_completion: S.tell },
    [S.block]: { type: 'action', name: 'Block the device', agent: AGENTS.gateway, timeout: 60000, commands: asked('block', { mac: '__device__:value', timeout_s: 3600 }), on_success: S.decided, on_failure: S.ask },
    [S.ask]: { type: 'action', name: 'Ask a person', agent: AGENTS.desk, timeout: 3600000, commands: [{ type: 'manual', command_b64: Buffer.from('Look at the device and decide whether to block it.').toString('base64') }], on_completion: S.decided },
    [S.decided]: { type: 'end', name: 'Decided' },
    [S.tell]: { type: 'parallel', name: 'Tell both', next_steps: [S.cert, S.desk], on_completion: S.end },
    [S.cert]: { type: 'action', name: 'Tell the CERT', agent: AGENTS.exchange, commands: asked('share', { peer: 'Harbour CERT' }), on_completion: S.told },
    [S.desk]: { type: 'action', name: 'Notify the desk', agent: AGENTS.console, commands: asked('notify', { title: 'A device was blocked' }), on_completion: S.told },
    [S.told]: { type: 'end', name: 'Told' },
    [S.end]: { type: 'end', name: 'End' },
  },
  agent_definitions: { [AGENTS.intel]: agent('intel'), [AGENTS.gateway]: agent('gateway'), [AGENTS.exchange]: agent('exchange'), [AGENTS.console]: agent('console'), [AGENTS.desk]: { type: 'organization', name: 'Watch desk' } },
  'x-harbour-note': { kept: ['as', 'it', { is: true }] },
};

const done = (summary, data) => ({ outcome: 'done', summary, data });
const step = (key, actuator, verb, state, outcome, args, at, took) => ({
  step: S[key], name: cacao.workflow[S[key]].name, type: cacao.workflow[S[key]].type, actuator, verb, state, outcome, arguments: args,
  started_at: at === null ? null : wall(at), ended_at: at === null || took === null ? null : wall(at + took), deadline_at: null, attempts: at === null ? 0 : 1,
});
const steps = [
  step('start', null, null, 'done', null, null, 0.2, 0.001),
  step('lookup', 'intel', 'lookup', 'done', done('178.128.185.250 is unknown to 2 sources, 9,012 values'), { value: '178.128.185.250' }, 0.21, 0.004),
  step('severe', null, null, 'done', done('severity is high: yes'), { condition: '__severity__:value IN (high, critical)' }, 0.22, 0.001),
  step('block', 'gateway', 'block', 'done', done('Gateway harbour-gw blocks b8:27:eb:7d:6b:a6 for 1 h'), { device: device.name, mac: MAC, timeout_s: '3600' }, 0.24, 0.31),
  step('decided', null, null, 'done', null, null, 0.56, 0.001),
  step('tell', null, null, 'done', done('2 branches ended'), null, 0.58, 0.6),
  step('cert', 'exchange', 'share', 'done', done('Shared with Harbour CERT; receipt verified'), { peer: 'Harbour CERT', tlp: 'TLP:AMBER' }, 0.6, 0.5),
  step('desk', 'console', 'notify', 'done', done('The watch desk was told'), { title: 'A device was blocked' }, 0.6, 0.06),
  step('told', null, null, 'done', null, null, 1.15, 0.001),
  step('end', null, null, 'done', null, null, 1.2, 0.001),
  step('ask', 'manual', null, 'skipped', null, null, null, 0),
].map((one, index) => ({ position: one.started_at === null ? null : index + 1, parent: null, playbook: null, ...one }));
const run = {
  id: ids.run, playbook: ids.playbook, name: NAME, state: 'succeeded', incident: ids.incident, rehearsal: false, retry_of: null, note: null,
  trigger: 'Started by itself: an incident of severity high was opened', started_at: wall(0.2), ended_at: wall(1.2),
  variables: { __device__: device.name, __severity__: 'high', __peer__: '178.128.185.250' }, steps, path: steps.slice(0, -1).map((one) => one.step),
};

/** As it stands while a person is asked. */
function waiting(more) {
  const reached = new Set([S.start, S.lookup, S.severe]);
  const bare = { state: 'pending', outcome: null, arguments: null, started_at: null, ended_at: null, attempts: 0 };
  const ask = { state: 'waiting', started_at: wall(1), ended_at: null, deadline_at: new Date(Date.now() + 56 * 60_000).toISOString(), attempts: 1 };
  const list = steps.map((one) => (one.step === S.ask ? { ...one, ...ask } : reached.has(one.step) ? one : { ...one, ...bare }));
  return { ...run, state: 'waiting', ended_at: null, steps: list, path: [...reached, S.ask], ...more };
}

const WORDS = {
  'incidents.opened': 'when an incident of severity high or worse is opened here, or becomes that severe', 'findings.raised': 'when a finding of severity high or worse is raised; once in 1 hour for each device',
  'intel.new': 'when new indicator becomes known, up to TLP:AMBER; once in 15 minutes for all of it', 'intel.hit': 'when a value met here is known to intelligence', schedule: 'at 03:00 every day (UTC)', webhook: 'on calls of its webhook',
};
export const triggerOf = (playbook, own, trigger, more) => ({
  id: own, playbook, words: WORDS[trigger.on], trigger, changed_by: 'administrator', changed_at: wall(0), next_at: trigger.on === 'schedule' ? new Date(Date.now() + 5 * 3_600_000).toISOString() : null, gathered: 0,
  hook: trigger.on === 'webhook' ? `/api/v1/hooks/${own}` : null, started: 0, proposed: 0, held: 0, skipped: 0, last_at: null, last_run: null, note: null, ...more,
});
const TRIGGERS = (playbook) => [
  triggerOf(playbook, '01935a16-0000-7000-8000-000000000031', { on: 'incidents.opened', min_severity: 'high', kinds: [] }, { started: 1, last_at: wall(0.2), last_run: ids.run }),
  triggerOf(playbook, '01935a16-0000-7000-8000-000000000032', { on: 'findings.raised', min_severity: 'high', kinds: [], cooldown_s: 3600 }, { started: 3, held: 41, last_at: wall(0.2), note: `${wall(0.3)}: 'Many ports were tried' started for the same within 1 hour` }),
  triggerOf(playbook, '01935a16-0000-7000-8000-000000000033', { on: 'schedule', at: '03:00', days: [], zone_minutes: 0 }, { started: 12, skipped: 1 }),
];

export function playbookWorld(scene) {
  const runs = scene === 'waiting' ? [waiting({}), waiting({ id: '01935a14-0000-7000-8000-000000000016', incident: null, trigger: 'Started by Marta Puig' })] : [run];
  return { stored: [{ id: ids.playbook, doc: cacao }], runs, triggers: { [ids.playbook]: TRIGGERS(ids.playbook) } };
}

const TRIGGER = 'an incident of severity high or critical is opened';
const viewOf = ({ id: own, doc }) => ({ id: own, name: doc.name, description: doc.description ?? '', trigger: own === ids.playbook ? TRIGGER : null, cacao_id: doc.id, steps: Object.keys(doc.workflow ?? {}).length });

/** A few of the rules of the standard, in the node's words. */
export function reportOf(doc) {
  const errors = [];
  const missing = [];
  const flow = doc.workflow ?? {};
  if (!doc.name) errors.push("/name: must be a text that is not empty");
  for (const [key, one] of Object.entries(flow)) {
    const place = `/workflow/${key}`;
    for (const name of ['on_completion', 'on_success', 'on_failure', 'on_true', 'on_false']) if (one[name] && !flow[one[name]]) errors.push(`${place}: leads to ${one[name]}, which is no step of this workflow`);
    if (one.type === 'action' && (one.commands ?? []).length === 0) errors.push(`${place}: a step of the type action has no commands`);
    if (one.type === 'action' && !doc.agent_definitions?.[one.agent]) errors.push(`${place}: agent ${one.agent || '""'} is not in agent_definitions (§3.1)`);
    if (['while-condition', 'switch-condition', 'playbook-action'].includes(one.type)) missing.push(`step '${one.name || one.type}' (${key}): steps of the type ${one.type} are not run here`);
    for (const command of one.commands ?? []) if (['ssh', 'bash', 'powershell'].includes(command.type)) missing.push(`step '${one.name || one.type}' (${key}): commands of the type ${command.type} are not carried out here`);
  }
  return { valid: errors.length === 0, errors, warnings: [], runnable: { ok: errors.length + missing.length === 0, missing } };
}

export const listOf = (world) => world.playbooks.stored.map(viewOf);
export function oneOf(world, own) {
  const found = world.playbooks.stored.find((one) => one.id === own);
  return found ? { ...viewOf(found), triggers: world.playbooks.triggers[own] ?? [], playbook: found.doc, in_words: '', report: reportOf(found.doc) } : null;
}

/** Stores a version, or says why not: null, or a problem's parts. */
export function put(world, doc) {
  const report = reportOf(doc);
  if (!report.valid) return { refused: [422, 'The playbook cannot be stored', `not a valid CACAO v2.0 playbook: ${report.errors.length} errors`, 'Mend what is named and store it again.'] };
  const found = world.playbooks.stored.find((one) => one.doc.id === doc.id);
  if (found && found.doc.modified > doc.modified) return { refused: [409, 'The playbook was changed meanwhile', `a newer version is stored, modified ${found.doc.modified}`, 'Look at the changes and save again.'] };
  const kept = { id: found?.id ?? '01935a15-0000-7000-8000-000000000017', doc };
  world.playbooks.stored = [...world.playbooks.stored.filter((one) => one !== found), kept];
  return { view: { ...viewOf(kept), report } };
}

export function answer(world, own, key, body) {
  const ended = new Date().toISOString();
  world.playbooks.runs = world.playbooks.runs.map((one) => one.id !== own ? one : { ...one, state: 'running', steps: one.steps.map((each) => each.step !== key ? each : { ...each, state: body.approve ? 'done' : 'failed', ended_at: ended, outcome: body.approve ? done(`Approved: ${body.text}`) : { outcome: 'failed', reason: body.text, retry: false } }) });
  return world.playbooks.runs.find((one) => one.id === own);
}
