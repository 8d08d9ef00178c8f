// Days of the address bar and of buckets: pure.
import type { Took } from '@/api/situation-reads';

const DAY_MS = 86_400_000;

const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The first day of the last `days` days, today included, UTC. */
export const daysBack = (days: number, now = Date.now()): string => iso(now - (days - 1) * DAY_MS);

export const nextDay = (day: string): string => {
  const at = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(at) ? day : iso(at + DAY_MS);
};

/** The bucket in which a share of all lies: the median for 0.5. */
export function after(took: Took[], share: number): string {
  const all = took.reduce((sum, one) => sum + one.n, 0);
  let sum = 0;
  for (const one of took) {
    sum += one.n;
    if (sum >= all * share && one.n > 0) return one.bucket;
  }
  return took.at(-1)?.bucket ?? '';
}
