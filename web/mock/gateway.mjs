// A gateway that can be told everything, for the mock backend: policy, orders in force, counts that add up, allow lists.
import { ids, MAC, wall } from './data.mjs';

const MINUTE = 60_000;
const later = (minutes) => new Date(Date.now() + minutes * MINUTE).toISOString();
const counts = (packets, size = 82) => ({ packets, bytes: packets * size });

/** `seen = passed + dropped`, whatever was dropped. */
export function totalsOf(dropped, passed = 41_207) {
  const sum = Object.values(dropped).reduce((all, one) => all + one.packets, 0);
  const size = Object.values(dropped).reduce((all, one) => all + one.bytes, 0);
  return { seen: { packets: passed + sum, bytes: passed * 90 + size }, passed: { packets: passed, bytes: passed * 90 }, dropped, would_drop: {} };
}

export function gatewayWorld(scene) {
  const quiet = scene === 'empty' || scene === 'learning';
  return {
    policy: { version: 3, mode: 'enforce', fail: 'open', protect: ['192.168.100.1', '10.20.0.53'], taken: 3, problem: null },
    history: [
      { version: 3, set_by: 'Duty officer', set_at: wall(-900), change: '2 protected addresses' },
      { version: 2, set_by: 'administrator', set_at: wall(-4000), change: 'mode enforce' },
      { version: 1, set_by: 'administrator', set_at: wall(-90_000), change: 'mode dry_run, fail mode open' },
    ],
    standing: quiet ? [] : [
      { key: 'run-1-block', verb: 'block', target: MAC, why: `run ${ids.run} for incident ${ids.incident}`, left_s: 3_300, caught: counts(12_188, 60), dry_run: false },
      { key: 'order-2', verb: 'quarantine', target: '02:1b:00:00:00:07', why: 'Camera answers to the outside; wait for its maker', left_s: 25_200, caught: counts(412), dry_run: false },
      { key: 'order-3', verb: 'rate_limit', target: '192.168.100.140', why: '', left_s: 240, caught: counts(88), dry_run: false },
    ],
    dropped: quiet ? {} : { block: counts(12_188, 60), quarantine: counts(412), rate: counts(88), allow_list: counts(37) },
    allow: quiet ? [] : [
      {
        device: MAC, state: 'frozen', learn_until: null, violations: 37,
        entries: [
          { peer: '10.20.0.53', protocol: 17, port: 53, local_port: null, source: 'learned', packets: 4_210, first_seen: wall(-90_000), last_seen: wall(-40) },
          { peer: '10.20.0.0/24', protocol: 6, port: 502, local_port: null, source: 'hand', packets: 18, first_seen: wall(-4_000), last_seen: wall(-700) },
          { peer: '192.0.2.7', protocol: 6, port: 443, local_port: null, source: 'mud', packets: 0, first_seen: wall(-3_000), last_seen: wall(-3_000) },
        ],
      },
      { device: '02:1b:00:00:00:07', state: 'learning', learn_until: later(5 * 24 * 60), violations: 0, entries: [] },
    ],
    more: quiet ? [] : [
      { key: 'order-2', gateway: 'harbour-gw', verb: 'quarantine', timeout_s: 28_800, details: { verb: 'quarantine', timeout_s: 28_800, to: ['10.20.0.53'] }, flow: null, why: 'Camera answers to the outside; wait for its maker', target: { mac: '02:1b:00:00:00:07', addresses: [] }, state: 'done', outcome: { outcome: 'done', summary: 'quarantine of 02:1b:00:00:00:07 for 28800 s', data: { proof: { by: 'probe', sent: 1, passed: 0, dropped: 1, counter_before: 3, counter_after: 4, frame: 'from 02:1b:00:00:00:07 to 02:00:5e:00:00:01, UDP' } } }, requested_at: wall(-3_600), done_at: wall(-3_599), requested_by: 'Duty officer', lifts_at: later(420), lifted_at: null, seen: null },
      { key: 'order-3', gateway: 'harbour-gw', verb: 'rate_limit', timeout_s: 600, details: { verb: 'rate_limit', timeout_s: 600, packets_s: 20 }, flow: { local: null, remote: '198.51.100.0/24', protocol: 17, local_port: null, remote_port: 123, direction: 'out', either: false }, why: '', target: { mac: null, addresses: ['192.168.100.140'] }, state: 'done', outcome: { outcome: 'done', summary: 'limit of 192.168.100.140 for 600 s', data: { proof: { by: 'read_back', why_no_probe: 'a frame cannot show this order without reaching somebody' } } }, requested_at: wall(-360), done_at: wall(-360), requested_by: 'Duty officer', lifts_at: later(4), lifted_at: null, seen: null },
    ],
  };
}

export function detailOf(world, line) {
  const { policy, standing, dropped } = world.gateway;
  return { name: line.name, connected: line.connected, last_contact: line.last_contact, not_enforcing: line.not_enforcing, policy, totals: totalsOf(dropped), standing, judging: standing.length === 0 ? null : JUDGING, devices: standing.length === 0 ? [] : devicesOf(dropped) };
}

const JUDGING = { judged: 1_204_118, packet_ns: 4_300, waiting: 212, may_wait: 23_255, flood: true, floods: 3, batch: 96, suspects: 1 };

function devicesOf(dropped) {
  const line = (mac, forwarded, reasons) => ({ mac, forwarded_packets: forwarded, forwarded_bytes: forwarded * 90, dropped_packets: Object.values(reasons).reduce((all, one) => all + one.packets, 0), dropped_bytes: 0, blocked: 'block' in reasons, reasons });
  const { block, ...others } = dropped;
  return [line('02:1b:00:00:00:07', 3_204, { ...others, verdict: counts(19) }), line('02:1b:00:00:00:08', 38_003, {}), line(MAC, 12, block ? { block, shaping: counts(4_803) } : {})];
}

/** What the counters of the live stream carry: more every second, and the sum holds. */
export function beat(world) {
  const { dropped } = world.gateway;
  if (dropped.block) dropped.block = counts(dropped.block.packets + 3, 60);
  return totalsOf(dropped);
}

export function order(world, body) {
  const { gateway } = world;
  const undone = gateway.standing.find((one) => one.key === body.order);
  const key = `order-${gateway.more.length + 2}`;
  if (body.verb === 'undo') gateway.standing = gateway.standing.filter((one) => one !== undone);
  const target = { mac: body.mac ?? null, addresses: body.addresses ?? [] };
  const name = body.mac ?? target.addresses.join(', ');
  if (!['undo', 'release'].includes(body.verb)) gateway.standing = [...gateway.standing, { key, verb: body.verb, target: name, why: body.why ?? '', left_s: body.timeout_s ?? 3600, caught: counts(0), dry_run: gateway.policy.mode !== 'enforce' }];
  const view = { key, gateway: 'harbour-gw', verb: body.verb, timeout_s: body.timeout_s ?? null, details: body, flow: body.flow ?? null, why: body.why ?? '', target, state: 'done', outcome: { outcome: 'done', summary: `${body.verb} of ${name || body.order}`, data: {} }, requested_at: new Date().toISOString(), done_at: new Date().toISOString(), requested_by: 'Duty officer', lifts_at: null, lifted_at: null, seen: null };
  gateway.more = [view, ...gateway.more];
  return view;
}

export function setPolicy(world, body) {
  const { gateway } = world;
  const version = gateway.policy.version + 1;
  gateway.policy = { ...gateway.policy, ...body, version, taken: version };
  gateway.history = [{ version, set_by: 'Duty officer', set_at: new Date().toISOString(), change: Object.entries(body).map(([what, value]) => `${what} ${Array.isArray(value) ? value.length : value}`).join(', ') }, ...gateway.history];
  return gateway.policy;
}

const same = (a, b) => ['peer', 'protocol', 'port', 'local_port'].every((key) => (a[key] ?? null) === (b[key] ?? null));

export function setList(world, device, body) {
  const now = new Date().toISOString();
  const before = world.gateway.allow.find((one) => one.device === device) ?? { device, violations: 0, entries: [] };
  const kept = before.entries.filter((one) => !(body.remove ?? []).some((other) => same(one, other)));
  const added = (body.add ?? []).map((one) => ({ ...one, source: body.source ?? 'hand', packets: 0, first_seen: now, last_seen: now }));
  const list = { ...before, state: body.state, learn_until: body.state === 'learning' && body.learn_s ? later(body.learn_s / 60) : null, entries: [...kept, ...added] };
  world.gateway.allow = [...world.gateway.allow.filter((one) => one.device !== device), list];
  return list;
}

export function mud(world, device, body) {
  const address = body.names?.['updates.example.com']?.[0];
  const entries = [{ peer: '10.0.0.0/8', protocol: 17, port: 53, local_port: null }, ...(address ? [{ peer: address, protocol: 6, port: 443, local_port: null }] : [])];
  const reading = { url: 'https://maker.example/camera.json', system: 'Street camera 7', entries, left_out: address ? [] : ['updates.example.com, TCP 443: say the addresses of this name'] };
  if (!body.preview) setList(world, device, { state: body.freeze ? 'frozen' : 'off', add: entries, source: 'mud' });
  return reading;
}
