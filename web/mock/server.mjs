// A backend for building and testing the console without a node: the contract's shapes, an SSE stream,
// and the built console. `MOCK_KIND=cert`, `MOCK_SCENE=done|learning|empty|first-run|signed-out|not-enforced|waiting|commands|proposed|stopped`.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as account from './account.mjs';
import * as apidocs from './apidocs.mjs';
import * as automation from './automation.mjs';
import * as data from './data.mjs';
import * as exchange from './exchange.mjs';
import * as evaluation from './evaluation.mjs';
import * as backups from './backups.mjs';
import * as frame from './frame.mjs';
import * as gateway from './gateway.mjs';
import * as knowledge from './knowledge.mjs';
import * as lists from './lists.mjs';
import * as playbooks from './playbooks.mjs';
import * as recovery from './recovery.mjs';
import * as sharing from './sharing.mjs';
import * as situation from './situation.mjs';
import { factsFor } from './facts.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.json': 'application/json', '.txt': 'text/plain' };
const ROLES = ['administrator', 'analyst', 'operator', 'assessor', 'read-only'];
const { ids } = data;
const page = (items) => ({ items, next: null, total: items.length });
const problem = (status, title, detail, remedy) => ({ status, body: { type: 'about:blank', title, status, detail, remedy, instance: 'urn:uuid:01935a99-0000-7000-8000-000000000099' } });
const NOT_ENFORCED = 'user namespaces are switched off on this machine (sysctl kernel.unprivileged_userns_clone)';

function worldOf(kind, scene) {
  const bare = scene === 'empty' || scene === 'learning';
  const facts = bare ? factsFor(kind).slice(0, scene === 'empty' ? 1 : 4) : factsFor(kind);
  const operator = kind === 'operator';
  return { ...backups.backupWorld(bare), frame: frame.frameWorld(), ...situation.situationWorld(), automation: automation.automationWorld(scene), gateway: gateway.gatewayWorld(scene), recovery: recovery.recoveryWorld(), playbooks: playbooks.playbookWorld(scene), machineText: data.machineText, machineVersions: data.machineVersions, versions: data.versions, suppressions: [data.suppression], feedback: null, kind, scene, bare, facts, operator, incident: data.incidentFor(kind), timeline: data.timelineFor(kind), ledger: data.ledgerOf(facts, ids[kind]), tokens: [{ id: ids.peer, roles: ['analyst'], label: 'nightly report', grants: ['00000000-0000-4000-8000-000000000002:read'], made_by: 'administrator', created_at: data.wall(-5000), expires_at: null, revoked_at: null }] };
}

function nodeOf(world) {
  const cert = world.kind === 'cert';
  return {
    node: { id: ids[world.kind], name: cert ? 'Harbour CERT' : 'Harbour Tram and Grid', kind: world.kind, version: '0.1.0' },
    first_run: world.scene === 'first-run',
    signed_in: world.scene === 'first-run' || world.scene === 'signed-out' || world.frame.expired ? null : { user: world.frame.user ?? (cert ? 'Marta Puig' : 'administrator'), roles: ['administrator'] },
    demo: { credit: data.CREDIT, peer_console_url: `http://127.0.0.1:${cert ? 4600 : 4601}/` },
  };
}

function gatewaysOf(world) {
  if (!world.operator || world.scene === 'empty') return [];
  const replay = world.scene === 'learning' ? { ...data.replay, at: data.packet(Date.parse('2018-07-31T13:45:00Z')), sent: 214, finished: false } : data.replay;
  return [{ name: 'harbour-gw', connected: true, last_contact: data.wall(230), not_enforcing: world.scene === 'not-enforced' ? NOT_ENFORCED : null, source: { source: 'replay', capture: 'IoT-23 capture 8-1', through_gateway: true }, replay, capture_dropped: 0, refused_batches: 0 }];
}

function watchedOf(world) {
  if (!world.operator || world.scene === 'empty') return [];
  if (world.scene === 'learning') return [{ ...data.watched, state: { state: 'learning', progress: 0.42 }, windows_scored: 0, windows_alerting: 0, last_score: null, model: null, judges: null, measured_false_rate: null, trained_from: null, trained_to: null }];
  return [data.watched];
}

const has = (world) => world.operator && !world.bare;
const incidentsOf = (world) => (world.bare ? [] : [world.incident]);
const sharesOf = (world) => (has(world) ? [world.scene === 'waiting' ? { ...exchange.share, state: 'queued', receipt: null, answer: null, attempts: 4, last_error: 'connection refused: https://localhost:4701/taxii2/' } : exchange.share] : []);
const ordersOf = (world) => (has(world) ? [world.scene === 'not-enforced' ? { ...data.order, outcome: { outcome: 'not_enforced', reason: NOT_ENFORCED }, seen: null } : data.order, ...world.gateway.more] : []);
const runsOf = (world) => (has(world) ? world.playbooks.runs : []);
const components = [
  { name: 'database', state: 'ok', cause: 'SQLite, write-ahead log, 1.2 MB', remedy: null },
  { name: 'data folder', state: 'ok', cause: 'locked by this process; 41 GB free', remedy: null },
  { name: 'gateway harbour-gw', state: 'ok', cause: 'connected, enforcing', remedy: null },
  { name: 'peer Harbour CERT', state: 'degraded', cause: 'answers slowly: 1.8 s', remedy: 'Look at the peer’s health page, or wait: shares are kept until delivered.' },
  { name: 'accountability log', state: 'ok', cause: '17 entries, head signed', remedy: null },
  { name: 'program nft', state: 'absent', cause: 'not found in PATH', remedy: 'Install the package nftables where the gateway runs.' },
];
const ROUTES = [['GET', '/api/v1/incidents', 'incidents.read'], ['POST', '/api/v1/incidents/{id}/state', 'incidents.write'], ['POST', '/api/v1/gateways/{name}/orders', 'gateway.order'], ['GET', '/api/v1/ledger', 'ledger.read'], ['GET', '/healthz', 'public']];
const matrix = ROUTES.map(([method, path, permission]) => ({ method, path, permission, roles: permission === 'public' ? ROLES : permission.endsWith('.read') ? ROLES : ROLES.slice(0, 3) }));

/** GET routes: pattern → answer. */
const reads = [
  ...situation.reads,
  ...frame.reads,
  ...backups.reads,
  ...automation.reads,
  [/^\/node$/, (w) => nodeOf(w)],
  [/^\/me$/, (w) => ({ user: 'administrator', name: nodeOf(w).signed_in?.user ?? '', roles: w.frame.permissions ? ['read-only'] : ['administrator'], permissions: w.frame.permissions ?? [] })],
  ...account.reads,
  [/^\/me$/, (w) => ({ user: 'administrator', name: nodeOf(w).signed_in?.user ?? '', roles: ['administrator'], permissions: [], ...account.own })],
  [/^\/facts$/, (w) => page([...w.facts].reverse())],
  [/^\/doctor$/, () => ({ components })],
  [/^\/devices$/, (w, url) => (w.operator && w.scene !== 'empty' ? [data.device, data.bareDevice] : []).filter((one) => (!url.searchParams.get('kind') || one.kind === url.searchParams.get('kind')) && JSON.stringify(one).toLowerCase().includes((url.searchParams.get('q') ?? '').toLowerCase()))],
  [/^\/devices\/.+\/evidence$/, (w) => (w.bare ? { identity: [], known: [] } : data.evidence)],
  [/^\/devices\/.+$/, () => data.device],
  [/^\/detection\/devices$/, (w) => watchedOf(w)],
  [/^\/detection\/devices\/.+\/scores$/, (w) => ({ device: ids.device, points: has(w) ? data.scores() : [] })],
  [/^\/detection\/devices\/.+\/models\/compare$/, (_, url) => ({ ...data.comparison, a: { ...data.comparison.a, version: Number(url.searchParams.get('a')) }, b: { ...data.comparison.b, version: Number(url.searchParams.get('b')) } })],
  [/^\/detection\/devices\/.+\/models$/, (w) => page(has(w) ? w.versions : [])],
  [/^\/detection\/commands$/, (w) => page(has(w) ? [{ ...data.machine, version: w.machineVersions[0].version }] : [])],
  [/^\/detection\/commands\/[^/]+\/versions$/, (w) => page(w.machineVersions)],
  [/^\/detection\/commands\/[^/]+$/, (w) => ({ text: w.machineText, etag: `"${w.machineVersions[0].version}"` })],
  [/^\/detection\/laws$/, (w) => page(has(w) ? [data.law.now] : [])],
  [/^\/detection\/laws\/[^/]+\/[^/]+$/, () => data.law],
  [/^\/detection\/groups$/, (w) => page(has(w) ? [data.group] : [])],
  [/^\/detection\/suppressions$/, (w, url) => page(has(w) ? w.suppressions.filter((one) => one.active || url.searchParams.get('all')) : [])],
  [/^\/detection\/evaluations$/, (w) => page(has(w) ? [evaluation.summary] : [])],
  [/^\/detection\/evaluations\/.+$/, () => evaluation.whole],
  [/^\/(incidents|findings)\/fields$/, (_, __, match) => lists.describe(match[1])],
  [/^\/(incidents|findings)\/facets$/, (w, url, match) => lists.facets(match[1] === 'incidents' ? incidentsOf(w) : w.bare ? [] : [data.finding], url)],
  [/^\/findings$/, (w, url) => lists.list('findings', w.bare ? [] : [{ ...data.finding, verdict: null }], url, problem)],
  [/^\/findings\/.+$/, (w) => ({ commands: w.scene === 'commands' ? [data.unusual(0), data.unusual(1, { count: 3 }), data.unusual(2, { kind: 'unusual_order', score: 0.9, value: null, technique: null })] : [], commands_beyond: w.scene === 'commands' ? 2 : 0, counts: [{ metric: 'dns_queries', meaning: 'DNS queries sent', value: 14 }, { metric: 'minute_packets_out', meaning: 'packets sent in this minute so far', value: 212 }], ...data.findingDetail, feedback: w.feedback })],
  [/^\/gateways$/, (w) => gatewaysOf(w)],
  [/^\/gateways\/.+\/counters$/, (w) => ({ points: has(w) && w.scene !== 'not-enforced' ? [{ at: data.wall(0.5), event_at: data.packet(data.BLOCKED), mac: data.MAC, forwarded_packets: 11_435, forwarded_bytes: 1_029_000, dropped_packets: 1, dropped_bytes: 60, blocked: true }] : [] })],
  [/^\/gateways\/[^/]+\/allow$/, (w) => page(w.gateway.allow)],
  [/^\/gateways\/[^/]+\/policy\/history$/, (w) => page(w.gateway.history)],
  [/^\/gateways\/([^/]+)$/, (w, _, match) => (gatewaysOf(w)[0]?.name === match[1] ? gateway.detailOf(w, gatewaysOf(w)[0]) : problem(404, 'No such gateway', `${match[1]} never connected.`, 'Look at the list.'))],
  [/^\/recovery\/agents$/, (w) => page(recovery.agentsOf(w))],
  [/^\/recovery\/orders$/, (w) => page(w.bare ? [] : w.recovery.orders)],
  [/^\/recovery\/checks$/, (w) => page(w.bare ? [] : w.recovery.checks)],
  [/^\/recovery\/cases$/, (w) => page(w.bare ? [] : w.recovery.cases)],
  [/^\/orders$/, (w) => ordersOf(w)],
  [/^\/incidents$/, (w, url) => lists.list('incidents', incidentsOf(w).map((one) => ({ owner: null, tags: [], ...one })), url, problem)],
  [/^\/incidents\/.+\/share-preview$/, () => [{ peer: ids.peer, peer_name: 'Harbour CERT', decision: exchange.share.decision, objects: 20, pseudonymised: 1 }]],
  [/^\/incidents\/.+$/, (w) => ({ incident: w.incident, findings: [data.finding], timeline: w.timeline, milestones: recovery.milestones, allowed_states: ['triaged', 'closed', 'false_alarm'] })],
  [/^\/playbooks$/, (w) => playbooks.listOf(w)],
  [/^\/playbooks\/(.+)$/, (w, _, match) => playbooks.oneOf(w, match[1]) ?? problem(404, 'No such playbook', 'It is not stored here.', 'Look at the list.')],
  [/^\/runs$/, (w, url) => page(runsOf(w).filter((one) => !url.searchParams.get('state') || one.state === url.searchParams.get('state')))],
  [/^\/runs\/(.+)$/, (w, _, match) => runsOf(w).find((one) => one.id === match[1]) ?? problem(404, 'No such run', 'It is not kept here.', 'Look at the list.')],
  [/^\/intel\/lookup$/, (_, url) => exchange.lookup(url.searchParams.get('value') ?? '')],
  [/^\/intel\/sources$/, () => exchange.sources],
  [/^\/intel\/objects$/, (w) => (w.bare ? { ...knowledge.found, items: [], by_type: [], total: 0 } : knowledge.found)],
  [/^\/intel\/matrix$/, (w) => (w.bare ? { domains: [], matrix: null, statements: [] } : knowledge.matrix)],
  [/^\/intel\/path$/, () => ({ found: true, summary: 'Night Heron is 2 relations away.', ...knowledge.relations })],
  [/^\/intel\/imports$/, (w) => page(w.bare ? [] : knowledge.imports)],
  [/^\/intel\/imports\/[^/]+\/problems$/, () => page(knowledge.importProblems)],
  [/^\/intel\/complete$/, () => knowledge.offers],
  [/^\/intel\/objects\/([^/]+)\/relations$/, () => knowledge.relations],
  [/^\/intel\/objects\/([^/]+)$/, (_, __, match) => knowledge.object(decodeURIComponent(match[1]))],
  [/^\/knowledge\/decay$/, () => knowledge.decay],
  [/^\/knowledge\/layouts$/, () => knowledge.layouts],
  [/^\/knowledge\/layouts\/.+$/, () => knowledge.layout],
  [/^\/knowledge\/licences$/, () => knowledge.licences],
  [/^\/knowledge\/warninglists$/, () => knowledge.warninglists],
  [/^\/webhooks$/, (w) => page(w.bare ? [] : knowledge.webhooks)],
  [/^\/feeds$/, (w) => page(w.bare ? [] : knowledge.feeds)],
  [/^\/taxii\/collections$/, (w) => (w.bare ? [] : knowledge.collections)],
  [/^\/taxii\/roots$/, () => knowledge.roots],
  [/^\/communities$/, (w) => page(w.bare ? [] : sharing.communities)],
  [/^\/communities\/[^/]+\/invitations$/, (w) => page(w.bare ? [] : sharing.invitations)],
  [/^\/communities\/([^/]+)$/, (_, __, match) => sharing.oneCommunity(match[1])],
  [/^\/organisations$/, () => page(sharing.organisations)],
  [/^\/sharing\/policies$/, (w) => page(w.bare ? sharing.policies.filter((one) => one.built_in) : sharing.policies)],
  [/^\/sharing\/tests$/, (w) => page(w.bare ? [] : sharing.tests)],
  [/^\/sharing\/redactions$/, (w) => page(w.bare ? [] : sharing.redactions)],
  [/^\/federation\/links$/, (w) => page(w.bare ? [] : sharing.links)],
  [/^\/federation\/shares$/, (w) => page(w.bare ? [] : [sharing.share])],
  [/^\/federation\/shares\/[^/]+$/, () => sharing.share],
  [/^\/federation\/retractions$/, (w) => page(w.bare ? [] : [sharing.retraction])],
  [/^\/federation\/retractions\/[^/]+$/, () => sharing.retraction],
  [/^\/pushes$/, (w) => page(w.bare ? [] : knowledge.pushes)],
  [/^\/shares$/, (w) => page(sharesOf(w))],
  [/^\/shares\/.+$/, (w) => ({ ...(sharesOf(w)[0] ?? exchange.share), history: exchange.history, bundle: exchange.bundle })],
  [/^\/peers$/, (w) => exchange.peersFor(w.kind)],
  [/^\/ledger$/, (w) => w.ledger.head],
  [/^\/ledger\/entries$/, (w, url) => page([...w.ledger.entries].reverse().filter((one) => one.index < Number(url.searchParams.get('before') ?? 1e9)))],
  [/^\/ledger\/entries\/(\d+)\/proof$/, (w, _, match) => (Number(match[1]) < w.ledger.head.size ? w.ledger.proof(Number(match[1])) : problem(404, 'No such entry', `The log has ${w.ledger.head.size} entries.`, 'Ask for a smaller number.'))],
  [/^\/tokens$/, (w) => page(w.tokens)],
  [/^\/certificates$/, () => page([{ id: ids.run, label: 'Example ISAC', roles: ['taxii'], grants: ['00000000-0000-4000-8000-000000000002:read'], fingerprint: 'ab'.repeat(32), serial: '4a'.repeat(16), made_by: 'administrator', created_at: data.wall(-5000), expires_at: data.wall(400000), revoked_at: null, state: 'in force' }])],
  [/^\/notices$/, (w) => page(has(w) ? [{ key: 'run-1/8', title: w.incident.title, body: 'The playbook “Contain a talking device” went through; see the run for what took effect.', link: `/incidents/${ids.incident}`, recorded_at: data.wall(1.2) }] : [])],
  [/^\/access-matrix$/, () => ({ routes: matrix })],
  [/^\/openapi\.json$/, () => apidocs.description],
];

const writes = [
  ...situation.writes,
  ...frame.writes,
  ...backups.writes,
  ...automation.writes,
  [/^\/recovery\/orders$/, (w, body) => recovery.order(w, body)],
  [/^\/recovery\/checks$/, (w, body) => recovery.addCheck(w, body)],
  [/^\/recovery\/checks\/(.+)$/, (w, _, match) => recovery.removeCheck(w, match[1])],
  [/^\/recovery\/cases\/(.+)$/, (w, body, match) => recovery.changeCase(w, match[1], body.action)],
  [/^\/recovery\/delays\/(.+)$/, (_, body, match) => recovery.learn(match[1], body.infected_at)],
  [/^\/gateways\/[^/]+\/orders$/, (w, body) => gateway.order(w, body)],
  [/^\/gateways\/[^/]+\/policy$/, (w, body) => gateway.setPolicy(w, body)],
  [/^\/gateways\/[^/]+\/allow\/([^/]+)\/mud$/, (w, body, match) => gateway.mud(w, decodeURIComponent(match[1]), body)],
  [/^\/gateways\/[^/]+\/allow\/([^/]+)$/, (w, body, match) => gateway.setList(w, decodeURIComponent(match[1]), body)],
  [/^\/playbooks\/validate$/, (_, body) => playbooks.reportOf(body)],
  [/^\/playbooks$/, (w, body) => { const { view, refused } = playbooks.put(w, body); return view ?? problem(...refused); }],
  [/^\/runs\/([^/]+)\/steps\/([^/]+)\/answer$/, (w, body, match) => playbooks.answer(w, match[1], decodeURIComponent(match[2]), body)],
  [/^\/incidents\/.+\/acknowledge$/, (w) => void (w.incident.acknowledged_by = nodeOf(w).signed_in?.user)],
  [/^\/incidents\/.+\/state$/, (w, body) => void (w.incident.state = body.state)],
  [/^\/incidents\/.+\/notes$/, (w, body) => void w.timeline.push({ kind: 'note', text: body.text, actor: 'administrator', link: null, event_at: null, recorded_at: new Date().toISOString() })],
  [/^\/findings\/.+\/feedback$/, (w, body) => {
    w.feedback = { verdict: body.verdict, reason: body.reason, author: 'Duty officer', at: new Date().toISOString() };
    const made = body.verdict === 'normal' ? [{ ...data.suppression, id: `${data.suppression.id.slice(0, -1)}9`, scope: JSON.stringify(body.scope), reason: body.reason, until: body.until ?? null, hits: 0, last_hit_at: null }] : [];
    w.suppressions = [...made, ...w.suppressions];
    return { suppressions: made };
  }],
  [/^\/detection\/devices\/.+\/models\/(\d+)\/activate$/, (w, body, match) => {
    w.versions = w.versions.map((one) => ({ ...one, state: one.version === Number(match[1]) ? 'active' : one.state === 'active' ? 'retired' : one.state, reason: one.version === Number(match[1]) ? `${body.reason} (by Duty officer)` : one.reason }));
  }],
  [/^\/detection\/commands\/[^/]+\/check$/, (_, body) => (String(body).includes('oops') ? problem(422, 'The text is no model', 'line 3: unknown field `oops`', 'Correct the line; nothing was changed.') : { pairs: 2, functions: 4, pairs_added: 0, pairs_removed: 0, functions_added: 1, functions_removed: 0 })],
  [/^\/detection\/commands\/[^/]+\/learn$/, () => ({ version: 3 })],
  [/^\/detection\/commands\/[^/]+$/, (w, text, _, __, url) => {
    const [last] = w.machineVersions;
    w.machineText = text;
    w.machineVersions = [{ ...last, version: last.version + 1, reason: url.searchParams.get('reason') }, ...w.machineVersions.map((one) => ({ ...one, state: 'retired' }))];
    return { version: last.version + 1, pairs: 2, functions: 5, pairs_added: 0, pairs_removed: 0, functions_added: 1, functions_removed: 0 };
  }],
  [/^\/communities\/[^/]+\/invitations$/, () => sharing.invitation],
  [/^\/sharing\/preview$/, () => sharing.preview],
  [/^\/sharing\/policies\/[^/]+$/, (_, body, __, method) => (method === 'PUT' && !body.force ? problem(409, 'It breaks tests', '1 of 2 tests would fail', 'Change the policy, or save it although tests break.') : { policy: sharing.policies[0], tests: [] })],
  [/^\/federation\/shares$/, () => sharing.share],
  [/^\/federation\/retractions$/, () => sharing.retraction],
  [/^\/knowledge\/reports\/extract$/, () => knowledge.review],
  [/^\/knowledge\/reports$/, () => knowledge.stored],
  [/^\/knowledge\/objects\/.+\/sightings$/, () => ({ id: 'sighting--00000000-0000-4000-8000-000000000009', score_now: 84, standing: 'lives' })],
  [/^\/intel\/imports$/, () => knowledge.imports[0]],
  [/^\/webhooks\/.+\/rotate$/, () => ({ webhook: { ...knowledge.webhooks[0], both_until: new Date(Date.now() + 86_400_000).toISOString() }, secret: 'whsec_made-up' })],
  [/^\/webhooks\/.+\/test$/, () => ({ taken: true, error: null })],
  [/^\/ledger\/verify$/, (w) => ({ verified: true, entries: w.ledger.head.size, first_altered: null })],
  [/^\/tokens$/, () => ({ id: ids.run, token: 'sereno_mock_2f9c4b7a9d0e4f21' })],
  [/^\/sign-in$/, (w, body) => (body.password === 'wrong' ? problem(401, 'The name or the password is wrong', 'Nobody signs in with these.', 'Check both; after 5 tries there is a pause.') : void Object.assign(w, { scene: w.scene === 'signed-out' ? 'done' : w.scene, frame: { ...w.frame, expired: false, user: w.frame.expired ? body.name : null } }))],
  [/^\/sign-out$/, (w) => void (w.scene = 'signed-out')],
  [/^\/first-run$/, (w) => void (w.scene = 'done')],
  [/^\/detection\/suppressions\/(.+)$/, (w, _, match) => void (w.suppressions = w.suppressions.map((one) => (one.id === match[1] ? { ...one, active: false, revoked_at: new Date().toISOString(), revoked_by: 'Duty officer' } : one)))],
  [/.*/, () => ({})],
];

function events(world, request, response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.flushHeaders();
  const send = (event, body, id) => response.write(`${id ? `id: ${id}\n` : ''}event: ${event}\ndata: ${JSON.stringify(body)}\n\n`);
  const from = Number(request.headers['last-event-id'] ?? world.facts.length);
  for (const fact of world.facts.filter((one) => one.seq > from)) send('fact', fact, fact.seq);
  let dropped = 12_188;
  const beat = () => {
    dropped += 3;
    if (!has(world)) return;
    const blocked = world.scene !== 'not-enforced';
    send('live', { topic: 'counters', gateway: 'harbour-gw', devices: [{ mac: data.MAC, forwarded_packets: blocked ? 11_435 : 23_623, forwarded_bytes: 1_029_000, dropped_packets: blocked ? dropped : 0, dropped_bytes: dropped * 60, blocked }], totals: gateway.beat(world) });
  };
  beat();
  const timer = setInterval(beat, 1000);
  const still = frame.pump(world, send);
  request.on('close', () => { clearInterval(timer); still(); });
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  if (request.headers['content-type'] === 'text/plain') return text;
  try {
    return JSON.parse(text || '{}');
  } catch {
    return {};
  }
}

async function api(world, request, response, url) {
  const path = url.pathname.slice('/api/v1'.length);
  const away = frame.turnedAway(world, path);
  if (away) {
    response.writeHead(401, { 'content-type': 'application/problem+json' });
    return response.end(JSON.stringify(away));
  }
  if (path === '/events') return events(world, request, response);
  const plain = situation.files.find(([pattern]) => pattern.test(path));
  if (plain) {
    response.writeHead(200, { 'content-type': plain[1] });
    return response.end(plain[2]);
  }
  const body = request.method === 'GET' ? null : await bodyOf(request);
  const table = request.method === 'GET' ? reads : writes;
  const found = table.map(([pattern, answer]) => [path.match(pattern), answer]).find(([match]) => match);
  let answer = found ? (body === null ? found[1](world, url, found[0]) : found[1](world, body, found[0], request.method, url)) : problem(404, 'Not found', path, 'Look at the contract.');
  const status = answer?.body ? answer.status : answer === undefined ? 204 : 200;
  answer = answer?.body ?? answer;
  if (answer?.etag) {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', etag: answer.etag });
    return response.end(answer.text);
  }
  response.writeHead(status, { 'x-request-id': '01935a99-0000-7000-8000-00000000f00d', 'content-type': status >= 400 ? 'application/problem+json' : 'application/json' });
  response.end(answer === undefined ? '' : JSON.stringify(answer));
}

const CSP = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async function file(response, url) {
  const path = normalize(url.pathname).replace(/^([.][.][/])+/, '');
  let name = extname(path) === '' ? 'index.html' : path;
  let bytes = await readFile(join(DIST, name)).catch(() => null);
  if (!bytes) {
    name = 'index.html';
    bytes = await readFile(join(DIST, name));
  }
  response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': CSP });
  response.end(bytes);
}

/** Starts a mock; resolves with its address and a way to stop it. */
export function serve({ kind = 'operator', scene = 'done', port = 0 } = {}) {
  const world = worldOf(kind, scene);
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    const work = url.pathname.startsWith('/api/v1') ? api(world, request, response, url) : file(response, url);
    Promise.resolve(work).catch((error) => {
      response.writeHead(500);
      response.end(String(error));
    });
  });
  return new Promise((resolve) => {
    server.listen(port, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}`, world, stop: () => server.closeAllConnections() ?? server.close() }));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await serve({ kind: process.env.MOCK_KIND ?? 'operator', scene: process.env.MOCK_SCENE ?? 'done', port: Number(process.env.PORT ?? 4600) });
  console.log(mock.url);
}
