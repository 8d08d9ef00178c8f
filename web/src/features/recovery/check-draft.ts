// A health check as typed, and as it is sent.
import type { HealthSpec } from '@/api/types';

export const KINDS = ['tcp', 'http', 'modbus'] as const;

export interface CheckDraft {
  target: string;
  kind: (typeof KINDS)[number];
  address: string;
  url: string;
  status: string;
  contains: string;
  unit: string;
  register: string;
  min: string;
  max: string;
}

export const EMPTY: CheckDraft = { target: '', kind: 'tcp', address: '', url: '', status: '', contains: '', unit: '1', register: '', min: '', max: '' };

export function specOf(draft: CheckDraft): HealthSpec {
  if (draft.kind === 'tcp') return { kind: 'tcp', address: draft.address.trim() };
  if (draft.kind === 'http') return { kind: 'http', url: draft.url.trim(), status: draft.status === '' ? null : Number(draft.status), contains: draft.contains || null };
  return { kind: 'modbus', address: draft.address.trim(), unit: Number(draft.unit), register: Number(draft.register), min: Number(draft.min), max: Number(draft.max) };
}

export function complete(draft: CheckDraft): boolean {
  if (draft.target.trim() === '') return false;
  if (draft.kind === 'http') return draft.url.trim() !== '';
  if (draft.address.trim() === '') return false;
  return draft.kind === 'tcp' || ([draft.register, draft.min, draft.max].every((text) => text !== '') && Number(draft.min) <= Number(draft.max));
}
