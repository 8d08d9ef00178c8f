// What is typed for an order, and the order it makes.
import type { OrderVerb } from '@/api/types';

export const VERBS = ['block', 'allow', 'rate_limit', 'quarantine', 'redirect', 'suspect', 'release'] as const satisfies readonly OrderVerb[];
export type DraftVerb = (typeof VERBS)[number];

export interface OrderDraft {
  verb: DraftVerb;
  /** A MAC or network address, or several with commas. */
  target: string;
  /** Only some of its traffic. */
  flow: boolean;
  remote: string;
  protocol: string;
  port: string;
  direction: '' | 'out' | 'in';
  packets: string;
  bytes: string;
  to: string;
  toPort: string;
  toMac: string;
  seconds: string;
  why: string;
}

export const EMPTY: OrderDraft = { verb: 'block', target: '', flow: false, remote: '', protocol: '', port: '', direction: '', packets: '', bytes: '', to: '', toPort: '', toMac: '', seconds: '3600', why: '' };

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
export const listed = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
const number = (text: string): number | null => (text.trim() === '' ? null : Number(text));

/** Which word says what is missing, or null when the node may judge it. */
export function missing(draft: OrderDraft): 'target' | 'rate' | 'to' | 'flow' | null {
  if (listed(draft.target).length === 0) return 'target';
  if (draft.verb === 'rate_limit' && !(Number(draft.packets) > 0 || Number(draft.bytes) > 0)) return 'rate';
  if (draft.verb === 'redirect' && listed(draft.to).length !== 1) return 'to';
  if (draft.flow && draft.remote === '' && draft.protocol === '') return 'flow';
  return null;
}

/** The body of `POST /gateways/{name}/orders`: only what the verb knows. */
export function bodyOf(draft: OrderDraft): Record<string, unknown> {
  const names = listed(draft.target);
  const mac = names.find((one) => MAC.test(one));
  const body: Record<string, unknown> = { verb: draft.verb, mac: mac?.toLowerCase() ?? null, addresses: names.filter((one) => !MAC.test(one)), why: draft.why.trim() };
  if (draft.verb !== 'release') body['timeout_s'] = Number(draft.seconds);
  if (draft.verb === 'rate_limit') {
    if (draft.packets !== '') body['packets_s'] = number(draft.packets);
    if (draft.bytes !== '') body['bytes_s'] = number(draft.bytes);
  }
  if (draft.verb === 'quarantine' || draft.verb === 'redirect') body['to'] = listed(draft.to);
  if (draft.verb === 'redirect') {
    if (draft.toPort !== '') body['port'] = number(draft.toPort);
    if (draft.toMac !== '') body['to_mac'] = draft.toMac.trim().toLowerCase();
  }
  if (draft.flow) {
    body['flow'] = { remote: draft.remote.trim() || null, protocol: number(draft.protocol), remote_port: number(draft.port), direction: draft.direction || null };
  }
  return body;
}
