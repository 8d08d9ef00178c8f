// Sites, maps, the situation and figures, as the mock serves them.
import { crc32, deflateSync } from 'node:zlib';
import * as data from './data.mjs';

const { ids } = data;

/** A plan of two rooms, 640 × 400 pixels of grey, written as PNG. */
function planOf(width, height) {
  const wall = (x, y) => x < 6 || y < 6 || x >= width - 6 || y >= height - 6 || (Math.abs(x - 360) < 3 && Math.abs(y - 200) > 40) || (x > 360 && Math.abs(y - 140) < 3 && Math.abs(x - 500) > 30);
  const rows = Buffer.alloc((width + 1) * height, 244);
  for (let y = 0; y < height; y += 1) {
    rows[y * (width + 1)] = 0;
    for (let x = 0; x < width; x += 1) if (wall(x, y)) rows[y * (width + 1) + 1 + x] = 96;
  }
  const chunk = (type, body) => {
    const data = Buffer.concat([Buffer.from(type), body]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(data));
    return Buffer.concat([length, data, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  return Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}
const PLAN = planOf(640, 400);

const layers = [
  { id: 'layer-plan', name: 'Pump hall', form: 'plan', media: 'image/png', bytes: 68, width: 640, height: 400, added_by: 'administrator', recorded_at: data.wall(9000) },
  { id: 'layer-lines', name: 'Tram lines', form: 'geojson', media: 'application/geo+json', bytes: 412, width: null, height: null, added_by: 'administrator', recorded_at: data.wall(9000) },
];
const LINES = { type: 'FeatureCollection', features: [{ type: 'Feature', properties: { name: 'T4' }, geometry: { type: 'LineString', coordinates: [[2.1866, 41.4036], [2.1966, 41.4084], [2.2167, 41.4117]] } }] };

const site = (n, name, kind, place, latitude, longitude, devices, standing, plan = null) => ({
  id: `site-${n}`, name, kind, place, latitude, longitude, devices, updated_at: data.wall(4000),
  plan: plan && { layer: 'layer-plan', x: plan[0], y: plan[1] }, standing,
});

const all = [
  site(1, 'Glòries', 'tram stop', 'Plaça de les Glòries', 41.4036, 2.1866, 1, 'blocked'),
  site(2, 'Ca l’Aranyó', 'tram stop', 'Carrer de Tànger', 41.4047, 2.1923, 3, 'well'),
  site(3, 'Besòs Mar', 'tram stop', 'Avinguda de Diagonal', 41.4117, 2.2167, 2, 'unwatched'),
  site(4, 'Harbour substation', 'substation', 'Moll de Barcelona', 41.3722, 2.1808, 6, 'attention'),
  site(5, 'Pump hall', 'pumping station', null, null, null, 4, 'learning', [0.3, 0.45]),
  site(6, 'Valve room', 'pumping station', null, null, null, 0, 'empty', [0.72, 0.6]),
];

const nowOf = ({ standing, plan, ...one }) => ({ ...one, standing, plan: plan?.layer ?? null, plan_x: plan?.x ?? null, plan_y: plan?.y ?? null, by_standing: one.devices > 0 ? { [standing]: 1, ...(one.devices > 1 ? { well: one.devices - 1 } : {}) } : {} });

export const situationWorld = () => ({ sites: structuredClone(all), layers: structuredClone(layers) });

const caseLine = (w) => ({ id: w.incident.id, title: w.incident.title, severity: w.incident.severity, state: w.incident.state, tlp: w.incident.tlp, received: w.kind === 'cert', origin_name: w.incident.origin_name, acknowledged_by: w.incident.acknowledged_by, opened_at: w.incident.recorded_at });

function now(w, url) {
  const cert = w.kind === 'cert';
  const sites = w.bare || cert ? [] : w.sites.map(nowOf).sort((a, b) => ORDER.indexOf(a.standing) - ORDER.indexOf(b.standing));
  const device = (n, name, at, standing, more = {}) => ({ id: n === 1 ? ids.device : `device-${n}`, name, place: null, site: at, standing, incident: null, gateway: null, verb: null, since: null, until: null, reason: '', ...more });
  const devices = w.bare || cert ? [] : [
    device(4, 'Relay 2', 'site-4', 'attention', { incident: w.incident.id }),
    device(1, 'Detector 3', 'site-1', 'blocked', { incident: w.incident.id, gateway: 'harbour-gw', verb: 'block', since: data.wall(12), until: new Date(Date.now() + 2_880_000).toISOString() }),
    device(3, 'Ticket machine', 'site-3', 'unwatched', { reason: 'too few windows in its first hour: 40 of 300' }),
    device(5, 'Pump 1', 'site-5', 'learning'),
  ];
  const open = w.bare ? {} : { [w.incident.state]: 1 };
  return {
    at: new Date().toISOString(), open, calling: w.bare ? [] : [caseLine(w)], waiting: cert && !w.bare && !w.incident.acknowledged_by ? [caseLine(w)] : [], received: cert && !w.bare ? [caseLine(w)] : [],
    origins: cert && !w.bare ? [{ name: 'Harbour Tram and Grid', shared: 14, acknowledged: 12 }, { name: 'Northern Water', shared: 3, acknowledged: 3 }] : [],
    campaigns: cert && !w.bare ? [{ organisations: ['Harbour Tram and Grid', 'Northern Water'], peers: ['178.128.185.250', '185.244.25.235'], techniques: ['T0885', 'T1071'], incidents: [{ id: w.incident.id, title: w.incident.title }, { id: ids.run, title: 'Valve controller calls an address it never called' }], first_at: data.wall(4000), last_at: data.wall(30) }] : [],
    sites, devices, standings: w.bare || cert ? {} : { attention: 1, blocked: 1, unwatched: 1, learning: 1, well: 12 }, more_devices: false,
    questions: w.scene === 'waiting' ? [{ what: 'run', run: ids.run, title: 'Contain a talking device', incident: w.incident.id, since: data.wall(6) }] : [],
    orders: w.bare || cert ? [] : [{ key: 'order-1', gateway: 'harbour-gw', verb: 'block', target: data.MAC, why: 'asked by a playbook', since: data.wall(12), until: new Date(Date.now() + 2_880_000).toISOString(), enforced: w.scene !== 'not-enforced' }],
    gateways: w.bare || cert ? 0 : 1, gateways_connected: w.bare || cert ? 0 : 1,
    changes: url.searchParams.get('since') ? { since: url.searchParams.get('since'), opened: 2, changed: 1, at_most: 1000 } : null, missing: [],
  };
}

const ORDER = ['attention', 'not_enforced', 'blocked', 'contained', 'unwatched', 'learning', 'well', 'empty'];

function figures(w, url) {
  const to = url.searchParams.get('to') || new Date().toISOString().slice(0, 10);
  const from = url.searchParams.get('from') || to;
  const days = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
  const n = (at, by) => (w.bare ? 0 : Math.max(0, Math.round(((at * 7919) % 13) / by)));
  const took = (...all) => ['5m', '15m', '1h', '4h', '1d', '3d', 'more'].map((bucket, at) => ({ bucket, n: w.bare ? 0 : (all[at] ?? 0) }));
  const counts = (all) => (w.bare ? [] : Object.entries(all).map(([item, count]) => ({ item, n: count })));
  return {
    from, to,
    findings: Array.from({ length: Math.min(400, Math.max(1, days)) }, (_, at) => ({ day: new Date(Date.parse(from) + at * 86_400_000).toISOString().slice(0, 10), low: n(at, 1), medium: n(at + 3, 2), high: n(at + 5, 4), critical: n(at + 1, 8) })),
    detectors: counts({ aarnn: 212, commands: 31, goose: 12, mms: 4 }), kinds: counts({ anomaly: 120, scan: 71, command_and_control: 44, false_command: 18, replay: 6 }),
    states: counts({ closed: 41, false_alarm: 12, contained: 3, triaged: 2, new: 1 }), severities: counts({ low: 20, medium: 24, high: 12, critical: 3 }),
    acknowledge: took(12, 18, 9, 4, 1, 0, 0), contain: took(21, 9, 6, 2, 0, 0, 1), recover: took(0, 2, 11, 14, 8, 3, 1), origins: counts({ 'Northern Water': 3 }),
  };
}

const page = (items) => ({ items, next: null, total: items.length });
const missing = (what) => ({ status: 404, body: { type: 'about:blank', title: 'Not found', status: 404, detail: `${what} not found`, remedy: 'Look at the list.', instance: 'urn:uuid:01935a99-0000-7000-8000-000000000098' } });
const conflict = (detail) => ({ status: 409, body: { type: 'about:blank', title: 'Not as things stand', status: 409, detail, remedy: 'Say where they go.', instance: 'urn:uuid:01935a99-0000-7000-8000-000000000097' } });

export const reads = [
  [/^\/situation$/, (w, url) => now(w, url)],
  [/^\/figures$/, (w, url) => figures(w, url)],
  [/^\/sites$/, (w) => page(w.bare || w.kind === 'cert' ? [] : w.sites.map(({ standing: _, ...one }) => one))],
  [/^\/map\/layers$/, (w) => page(w.bare ? [] : w.layers)],
  [/^\/map\/layers\/layer-lines\/content$/, () => LINES],
  [/^\/devices$/, (w, url) => (url.searchParams.get('site') ? page(w.devicesAt?.[url.searchParams.get('site')] ?? (url.searchParams.get('site') === 'site-1' ? [data.device] : [])) : w.operator && w.scene !== 'empty' ? page([data.device, data.bareDevice].filter((one) => (!url.searchParams.get('kind') || one.kind === url.searchParams.get('kind')) && JSON.stringify(one).toLowerCase().includes((url.searchParams.get('q') ?? '').toLowerCase())).map((one) => ({ site: null, site_name: null, ...one }))) : page([]))],
  [/^\/users$/, () => [{ name: 'administrator', roles: ['administrator'], grants: [], for: null, mail: null }]],
];

/** Bytes with their type, for paths that are no JSON. */
export const files = [[/^\/map\/layers\/layer-plan\/content$/, 'image/png', PLAN]];

export const writes = [
  [/^\/sites$/, (w, body) => {
    const made = { id: `site-${w.sites.length + 1}`, devices: 0, updated_at: new Date().toISOString(), standing: 'empty', place: null, latitude: null, longitude: null, plan: null, ...body };
    w.sites.push(made);
    return made;
  }],
  [/^\/sites\/([^/]+)$/, (w, body, match, method, url) => {
    const known = w.sites.find((one) => one.id === match[1]);
    if (!known) return missing(`site '${match[1]}'`);
    if (method !== 'DELETE') return Object.assign(known, body);
    const to = url.searchParams.get('move_to');
    if (known.devices > 0 && !to) return conflict(`${known.devices} devices stand at ${known.name}; say where they go`);
    w.sites = w.sites.filter((one) => one !== known);
    return undefined;
  }],
  [/^\/devices\/site$/, (w, body) => {
    const known = w.sites.find((one) => one.id === body.site);
    if (known) known.devices += body.devices.length;
    return { moved: body.devices.length, site: body.site };
  }],
  [/^\/node$/, (w, body) => {
    w.kind = body.kind === 'cert' ? 'cert' : 'operator';
    return { id: ids[w.kind], name: 'Harbour', kind: body.kind, version: '0.1.0' };
  }],
];
