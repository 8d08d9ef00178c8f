// The shapes of the HTTP contract. Times are RFC 3339 texts in UTC, ids are UUID texts.

export type Time = string;
export type Id = string;

export interface Page<T> {
  items: T[];
  next: string | null;
  total?: number | null;
}

export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string | null;
  remedy?: string | null;
  instance?: string | null;
  errors?: string[];
}

export type Severity = 'low' | 'medium' | 'high' | 'critical';
export type Tlp = 'TLP:CLEAR' | 'TLP:GREEN' | 'TLP:AMBER' | 'TLP:AMBER+STRICT' | 'TLP:RED';

export interface NodeInfo {
  node: { id: Id; name: string; kind: 'operator' | 'cert' | 'other'; version: string };
  first_run: boolean;
  signed_in: { user: string; roles: string[] } | null;
  demo: { credit: string; peer_console_url: string | null } | null;
}

export interface Me {
  user: string;
  name: string;
  roles: string[];
  permissions: string[];
}

export interface Fact {
  seq: number;
  id: Id;
  kind: string;
  version: number;
  subject: string;
  actor: string;
  sentence: string;
  payload: unknown;
  event_at: Time | null;
  recorded_at: Time;
}

export interface Component {
  name: string;
  state: 'ok' | 'degraded' | 'failed' | 'absent';
  cause: string | null;
  remedy: string | null;
}

export type WatchState =
  | { state: 'learning'; progress: number }
  | { state: 'training'; progress: number }
  | { state: 'watching' }
  | { state: 'unprotected'; reason: string };

export interface Device {
  id: Id;
  name: string;
  place: string | null;
  role: 'unknown' | 'protected' | 'infrastructure';
  criticality: Severity;
  mac: string | null;
  addresses: string[];
  first_seen: Time;
  last_seen: Time;
}

export interface Watched {
  device: Id;
  name: string;
  state: WatchState;
  model: string | null;
  windows_scored: number;
  windows_alerting: number;
  last_score: number | null;
  threshold: number;
  alpha: number | null;
  measured_false_rate: number | null;
  judges: string | null;
  trained_from: Time | null;
  trained_to: Time | null;
}

export interface ScorePoint {
  start: Time;
  end: Time;
  score: number | null;
  alert: boolean;
  packets_out: number;
  packets_in: number;
  bytes_out: number;
  bytes_in: number;
  top_metric: string | null;
  measured: number | null;
  expected: number | null;
}

export interface Reason {
  metric: string;
  meaning: string;
  measured: number;
  expected: number;
  judge: string;
  ratio: number;
}

export interface Evidence {
  peer: string;
  protocol: string;
  port: number | null;
  packets: number;
  new: boolean;
}

export interface Technique {
  framework: string;
  id: string;
  name: string;
}

export interface Finding {
  id: Id;
  device: Id;
  device_name: string;
  device_address: string;
  device_mac: string | null;
  detector: string;
  model: string;
  title: string;
  kind: 'scan' | 'flood' | 'command_and_control' | 'anomaly';
  severity: Severity;
  score: number;
  why: Reason[];
  evidence: Evidence[];
  techniques: Technique[];
  first_at: Time;
  last_at: Time;
  windows: number;
  recorded_at: Time;
}

export interface SourceState {
  epoch: number;
  at: Time | null;
  start: Time | null;
  end: Time | null;
  sent: number;
  total: number;
  speed: number;
  paused: boolean;
  finished: boolean;
}

export type Source =
  | { source: 'live'; interface: string }
  | { source: 'replay'; capture: string; through_gateway: boolean };

export interface Gateway {
  name: string;
  connected: boolean;
  last_contact: Time | null;
  not_enforcing: string | null;
  source: Source | null;
  replay: SourceState | null;
  capture_dropped: number;
}

export interface CounterPoint {
  at: Time;
  event_at: Time | null;
  mac: string;
  forwarded_packets: number;
  forwarded_bytes: number;
  dropped_packets: number;
  dropped_bytes: number;
  blocked: boolean;
}

export interface DeviceCounters {
  mac: string;
  forwarded_packets: number;
  forwarded_bytes: number;
  dropped_packets: number;
  dropped_bytes: number;
  blocked: boolean;
}

export type Outcome =
  | { outcome: 'done'; summary: string; data?: unknown }
  | { outcome: 'not_enforced'; reason: string; data?: unknown }
  | { outcome: 'failed'; reason: string; retry: boolean };

export interface Order {
  key: string;
  gateway: string;
  verb: 'block' | 'release';
  timeout_s: number | null;
  target: { mac: string | null; addresses: string[] };
  state: 'waiting' | 'sent' | 'done';
  outcome: Outcome | null;
  requested_at: Time;
  done_at: Time | null;
  requested_by: string;
  lifts_at: Time | null;
  /** When the block ended, by itself or by a release. */
  lifted_at?: Time | null;
  seen: { forwarded_before: number; forwarded_after: number; dropped_after: number } | null;
}

export type IncidentState = 'new' | 'triaged' | 'contained' | 'closed' | 'false_alarm';

export interface Incident {
  id: Id;
  title: string;
  state: IncidentState;
  severity: Severity;
  tlp: Tlp;
  origin: Id;
  origin_name: string;
  findings: number;
  received_share: Id | null;
  acknowledged_by: string | null;
  event_at: Time;
  recorded_at: Time;
  updated_at: Time;
}

export interface TimelineItem {
  kind: string;
  text: string;
  actor: string;
  link: string | null;
  event_at: Time | null;
  recorded_at: Time;
}

export interface IncidentDetail {
  incident: Incident;
  findings: Finding[];
  timeline: TimelineItem[];
  allowed_states: IncidentState[];
}

export interface Playbook {
  id: Id;
  name: string;
  description: string;
  trigger: string | null;
  cacao_id: string;
  steps: number;
}

export interface PlaybookDetail {
  playbook: unknown;
  trigger: string | null;
}

export type RunState = 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled';
export type StepState =
  'pending' | 'running' | 'waiting' | 'done' | 'not_enforced' | 'failed' | 'skipped';

export interface Run {
  id: Id;
  playbook: Id;
  name: string;
  state: RunState;
  incident: Id | null;
  trigger: string;
  started_at: Time;
  ended_at: Time | null;
}

export interface Step {
  step: string;
  name: string;
  type: string;
  actuator: string | null;
  verb: string | null;
  state: StepState;
  outcome: Outcome | null;
  arguments: Record<string, unknown> | null;
  started_at: Time | null;
  ended_at: Time | null;
  attempts: number;
}

export interface RunDetail extends Run {
  variables: Record<string, unknown>;
  steps: Step[];
  path: string[];
}

export interface IntelAnswer {
  value: string;
  known: boolean;
  summary: string;
  sources: { name: string; score: number | null; object: string | null }[];
}

export interface IntelStock {
  name: string;
  values: number;
  loaded_at: Time | null;
  licence: string;
}

export type * from './types-exchange';
