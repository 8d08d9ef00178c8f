import type { Order } from '@/api/types';
import { spanText } from '@/parts/time';
import { t } from '@/strings/t';

/** How long a block still stands, in wall time. */
export function blockTime(order: Order | null, now: number): string {
  if (order?.verb !== 'block' || order.lifts_at === null) return t('device.blocked');
  if (order.lifted_at) return t('device.lifted');
  const left = Date.parse(order.lifts_at) - now;
  return left > 0 ? t('device.blocked_for', { span: spanText(left) }) : t('device.lifted');
}
