// What the room of recovery answers.
import type { components } from './schema';
import type { Id, Narrow, Target, Time } from './types';

type Schemas = components['schemas'];

/** One kept state of a service. */
export interface Checkpoint {
  counter: number;
  service: string;
  taken_at: Time;
  bytes: number;
  new_bytes: number;
  frozen_s: number;
  /** The interrupted state, kept as evidence: never restored. */
  evidence: boolean;
  /** Younger than an infection that was found later: never restored. */
  suspect: boolean;
}
export interface ProtectedService {
  service: string;
  backend: string;
  unavailable: string | null;
  running: boolean;
  failures: number;
  operating_s: number;
  interval: { interval_s: number; gelenbe_s: number; young_s: number; daly_s: number; failure_rate_per_s: number; cost_s: number; load: number } | null;
  checkpoints: Checkpoint[];
}
export type CheckpointAgent = Narrow<Schemas['Page_AgentView']['items'][number], {
  listing: { agent: string; signer: string; counter: string; rollback: string | null; stored_bytes: number; services: ProtectedService[] } | null;
}>;
export interface RecoveryReport {
  started_from: string;
  evidence_at: Time | null;
  margin_s: number | null;
  checkpoint: Checkpoint | null;
  downtime_s: number;
  lost_s: number;
  lost_bytes: number | null;
  chance_infected: number | null;
  model: string | null;
  counter: string;
  summary: string;
}
/** The contract's `OrderView` is the gateway's; this is the one of /recovery/orders. */
export interface RecoveryOrder {
  key: string;
  agent: string;
  service: string;
  verb: 'take' | 'restore_before' | 'restart';
  incident: Id | null;
  requested_by: string;
  state: 'waiting' | 'working' | 'done' | 'failed';
  detail: string;
  report: RecoveryReport | null;
  offers: string[];
  asked_at: Time;
  ended_at: Time | null;
}
export type HealthSpec = Schemas['Spec'];
export type HealthCheck = Narrow<Schemas['CheckView'], { check: HealthSpec }>;
export type LiftCase = Narrow<Schemas['CaseView'], { target: Target; stage: 'holding' | 'trial' | 'recovered' | 'escalated' | 'stopped' }>;
