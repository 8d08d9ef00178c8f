// Sharing, the accountability log, access.
import type { Id, Time, Tlp } from './types';

export interface ShareDecision {
  allowed: boolean;
  reason: string;
  policies: string[];
}

export type ShareState = 'denied' | 'queued' | 'delivered' | 'acknowledged' | 'refused';

export interface Share {
  id: Id;
  incident: Id;
  peer: Id;
  peer_name: string;
  state: ShareState;
  tlp: Tlp;
  decision: ShareDecision;
  objects: number;
  pseudonymised: number;
  decided_at: Time;
  delivered_at: Time | null;
  acknowledged_at: Time | null;
  receipt: { verified: boolean; digest: string; signed_at: Time; key: string } | null;
  answer: { by: string; text: string; at: Time } | null;
  attempts: number;
  last_error: string | null;
}

export interface StixObject {
  id: string;
  type: string;
  [property: string]: unknown;
}

export interface Bundle {
  type: 'bundle';
  id: string;
  objects: StixObject[];
}

export interface ShareDetail extends Share {
  history: { at: Time; text: string }[];
  bundle: Bundle | null;
}

export interface SharePreview {
  peer: Id;
  peer_name: string;
  decision: ShareDecision;
  objects: number;
  pseudonymised: number;
}

export interface Peer {
  id: Id;
  name: string;
  kind?: string;
  /** Absent when it only calls us. */
  url: string | null;
  last_error?: string | null;
  state: 'reachable' | 'unreachable' | 'never';
  last_contact: Time | null;
  fingerprint: string | null;
  direction: 'we send' | 'they send' | 'both';
}

export interface TreeHead {
  /** Which log; part of the signed text. */
  origin?: string;
  size: number;
  root: string;
  signed_at: Time;
  signature: string;
  key: string;
}

export interface LedgerEntry {
  index: number;
  at: Time;
  kind: string;
  subject: string;
  actor: string;
  sentence: string;
  fact_seq: number | null;
  leaf_hash: string;
  erased: boolean;
}

export interface InclusionProof {
  index: number;
  size: number;
  leaf_hash: string;
  path: string[];
  root: string;
  head: TreeHead;
}

export interface Verification {
  verified: boolean;
  entries: number;
  first_altered: { index: number; what: string } | null;
}

export interface ApiToken {
  id: Id;
  roles: string[];
  label: string;
  made_by?: string;
  created_at: Time | null;
  expires_at: Time | null;
  revoked_at?: Time | null;
}

export interface AccessRoute {
  method: string;
  path: string;
  /** `public` needs nothing. */
  permission: string;
  roles: string[];
}
