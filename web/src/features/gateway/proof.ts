// How it is known that an order took effect, in words.
import type { Order } from '@/api/types';
import { count } from '@/parts/format';
import { t } from '@/strings/pages';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** What the gateway did to see that the order works; null where it says nothing of it. */
export function proofText(order: Order): string | null {
  const data = order.outcome && 'data' in order.outcome ? order.outcome.data : null;
  const proof = isRecord(data) ? data['proof'] : null;
  if (!isRecord(proof)) return null;
  if (proof['by'] === 'probe') {
    return t('gw.proof.probe', { frame: String(proof['frame'] ?? ''), before: count(Number(proof['counter_before'])), after: count(Number(proof['counter_after'])) });
  }
  return t('gw.proof.read_back', { why: String(proof['why_no_probe'] ?? '') });
}
