// What the frame asks for: preferences, views, search over everything, sessions that end, facts in numbers.
import * as data from './data.mjs';
import * as knowledge from './knowledge.mjs';

const { ids } = data;
const view = (n, name, path, shared, own) => ({ id: `01935a99-0000-7000-8000-0000000001${n}0`, name, path, shared, own, owner: own ? 'administrator' : 'Marta Puig', position: n });

export function frameWorld() {
  return { preferences: { version: 0, preferences: {} }, views: [view(1, 'Open incidents', '/incidents', true, true), view(2, 'Routers', '/devices?kind=router', false, true), view(3, 'What the CERT watches', '/findings', true, false)], made: 1000, expired: false, user: null, permissions: null, pump: 0 };
}

/** Everything the mock holds that has the words in it. */
function find(world, q, kind, limit) {
  if (world.bare) return [];
  const things = {
    incidents: [[ids.incident, world.incident.title, world.incident.state, `/incidents/${ids.incident}`]],
    findings: [[data.finding.id, data.finding.title, data.finding.device_name ?? '', `/findings/${data.finding.id}`]],
    devices: [data.device, data.bareDevice].map((one) => [one.id, one.name, one.place ?? '', `/devices/${one.id}`]),
    intel: knowledge.found.items.map((one) => [one.id, one.name, one.type, `/knowledge/${one.id}`]),
    playbooks: [['contain', 'Contain a talking device', 'stops what it does', '/playbooks']],
    people: [['ona', 'Ona Riera', 'operator', '/access']],
  };
  return Object.entries(things).flatMap(([name, list]) => {
    if (kind && kind !== name) return [];
    const held = list.filter((one) => one.join(' ').toLowerCase().includes(q.toLowerCase()));
    const items = held.slice(0, limit).map(([id, title, detail, path]) => ({ id, title, detail, path, at: data.wall(100) }));
    return items.length === 0 ? [] : [{ kind: name, items, more: held.length > limit, incomplete: false }];
  });
}

export const reads = [
  [/^\/me\/preferences$/, (w) => w.frame.preferences],
  [/^\/views$/, (w) => w.frame.views],
  [/^\/search$/, (w, url) => { const q = url.searchParams.get('q') ?? ''; return { q, kinds: find(w, q, url.searchParams.get('kind'), Number(url.searchParams.get('limit') ?? 5)) }; }],
];

export const writes = [
  [/^\/me\/preferences$/, (w, body) => (w.frame.preferences = { version: w.frame.preferences.version + 1, preferences: body.preferences })],
  [/^\/views$/, (w, body) => { const made = { ...view(w.frame.views.length + 1, body.name, body.path, body.shared ?? false, true), id: `01935a99-0000-7000-8000-00000000${(w.frame.made += 1)}` }; w.frame.views = [...w.frame.views, made]; return made; }],
  [/^\/views\/(.+)$/, (w, body, match, method) => {
    w.frame.views = method === 'DELETE' ? w.frame.views.filter((one) => one.id !== match[1]) : w.frame.views.map((one) => (one.id === match[1] ? { ...one, ...body } : one)).sort((a, b) => a.position - b.position);
    return method === 'DELETE' ? undefined : w.frame.views.find((one) => one.id === match[1]);
  }],
];

/** The answer of a node whose session has ended, for what needs one. */
export function turnedAway(world, path) {
  if (!world.frame.expired || /^\/(node|sign-in|sign-out|first-run)$/.test(path)) return null;
  return { type: 'urn:sereno:problem:sign-in', title: 'Unauthorized', status: 401, detail: 'You are not signed in.', remedy: 'Sign in.' };
}

/** Sends so many facts a second, as the node does: ten writes a second. */
export function pump(world, send) {
  let seq = 1_000_000;
  const timer = setInterval(() => {
    for (let n = 0; n < world.frame.pump / 10; n += 1) {
      seq += 1;
      send('fact', { seq, id: `${seq}`, kind: 'detection.noted', subject: 'x', actor: 'system', sentence: `fact ${seq}`, payload: {}, event_at: null, recorded_at: new Date().toISOString() }, seq);
    }
  }, 100);
  return () => clearInterval(timer);
}

