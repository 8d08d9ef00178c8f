// Recovery for the mock backend: an agent with its services, orders with reports, health checks, blocks that lift.
import { ids, MAC, wall } from './data.mjs';

const kept = (service, counter, minutes, more = {}) => ({ counter, service, taken_at: wall(-60 * minutes), bytes: 48_200_000 + counter * 1_000, new_bytes: 310_000 + counter * 500, frozen_s: 0.042, evidence: false, suspect: false, ...more });
const COUNTER = 'a number in a file: it shows mistakes, not an intruder with the rights of the agent';
const MODEL = 'delay from infection to evidence: exponential with unknown mean, Gamma(2, 600 s); no case is known yet';

const agents = [
  {
    agent: 'harbour', error: null,
    listing: {
      agent: 'harbour', signer: '9c'.repeat(32), counter: COUNTER, rollback: null, stored_bytes: 412_000_000,
      services: [
        { service: 'telemetry', backend: 'state', unavailable: null, running: true, failures: 1, operating_s: 812_000, interval: { interval_s: 2_310, gelenbe_s: 2_310, young_s: 1_630, daly_s: 1_628, failure_rate_per_s: 5.9e-7, cost_s: 0.042, load: 0.027 }, checkpoints: [kept('telemetry', 11, 190), kept('telemetry', 12, 150), kept('telemetry', 13, 110), kept('telemetry', 14, 6, { suspect: true }), kept('telemetry', 15, 2, { evidence: true, suspect: true })] },
        { service: 'signals', backend: 'criu', unavailable: 'CRIU 3.17 does not start on this kernel: install 4.0 or newer, or choose the back-end machine', running: true, failures: 0, operating_s: 812_000, interval: null, checkpoints: [] },
      ],
    },
  },
  { agent: 'depot', error: 'connection refused at run/checkpoint/depot.sock: start its agent', listing: null },
];

const report = {
  key: 'restore-1', agent: 'harbour', service: 'telemetry', verb: 'restore_before', checkpoint: kept('telemetry', 13, 110), started_from: 'checkpoint 13 of telemetry', evidence_at: wall(-300), margin_s: 600, asked_at: wall(20), stopped_at: wall(23), running_at: wall(27.4),
  downtime_s: 4.4, lost_s: 6_620, lost_bytes: 1_240_000, chance_infected: 0.0084, model: MODEL, evidence: 15, counter: COUNTER, summary: 'telemetry runs from checkpoint 13, taken before the infection; 110 min of work are lost',
};

export function recoveryWorld() {
  return {
    orders: [
      { key: 'restore-1', agent: 'harbour', service: 'telemetry', verb: 'restore_before', incident: ids.incident, requested_by: 'playbook:Put telemetry back', state: 'done', detail: report.summary, report, offers: [], asked_at: wall(20), ended_at: wall(27.4) },
      { key: 'restore-0', agent: 'harbour', service: 'telemetry', verb: 'restore_before', incident: null, requested_by: 'Duty officer', state: 'failed', detail: 'no checkpoint is older than the evidence less the margin', report: null, offers: ['the oldest, number 11, infected with a chance of 31 %', 'the clean base, with all work lost'], asked_at: wall(-9_000), ended_at: wall(-8_999) },
    ],
    checks: [
      { id: 'c-1', target: MAC, check: { kind: 'modbus', address: '192.168.100.113:502', unit: 1, register: 3, min: 40, max: 45 }, created_by: 'administrator', recorded_at: wall(-80_000) },
      { id: 'c-2', target: MAC, check: { kind: 'http', url: 'http://192.168.100.113/status', status: null, contains: 'ready' }, created_by: 'administrator', recorded_at: wall(-80_000) },
    ],
    cases: [{ incident: ids.incident, device: ids.device, target: { mac: MAC, addresses: ['192.168.100.113'] }, stage: 'trial', trial: 1, failures: 1, detail: 'trial 2: released and watched; both checks passed, 3 windows scored since, none above the threshold', due_at: new Date(Date.now() + 120_000).toISOString(), started_at: wall(1), updated_at: wall(200) }],
  };
}

export const agentsOf = (world) => (world.bare ? [] : agents);
export const milestones = { detected: wall(0), contained: wall(0.9), eradicated: wall(27.4), recovered: null };

export function order(world, body) {
  const made = { key: `order-${world.recovery.orders.length + 1}`, agent: body.agent ?? 'harbour', service: body.service, verb: body.verb, incident: body.incident ?? null, requested_by: 'Duty officer', state: 'working', detail: 'the agent works on it', report: null, offers: [], asked_at: new Date().toISOString(), ended_at: null };
  world.recovery.orders = [made, ...world.recovery.orders];
  return made;
}

export function addCheck(world, body) {
  const made = { id: `c-${world.recovery.checks.length + 1}`, target: body.target, check: body.check, created_by: 'Duty officer', recorded_at: new Date().toISOString() };
  world.recovery.checks = [...world.recovery.checks, made];
  return made;
}

export const removeCheck = (world, id) => void (world.recovery.checks = world.recovery.checks.filter((one) => one.id !== id));

export function changeCase(world, incident, action) {
  const change = action === 'stop' ? { stage: 'stopped', detail: 'stopped by Duty officer: the block stays as it was ordered' } : { stage: 'holding', trial: 0, detail: 'begun anew by Duty officer' };
  world.recovery.cases = world.recovery.cases.map((one) => (one.incident === incident ? { ...one, ...change } : one));
  return world.recovery.cases.find((one) => one.incident === incident);
}

const FIRST_EVIDENCE = Date.parse(wall(0));
export const learn = (incident, infectedAt) => ({ incident, delay_s: Math.round((FIRST_EVIDENCE - Date.parse(infectedAt)) / 1000) });
