// Counts of a gateway that must add up: seen = passed + dropped, by reason.
import type { Count, DeviceCounts, GatewayTotals } from '@/api/types';

/** All reasons, in the order the gateway looks at them. */
export const REASONS = ['fail_closed', 'block', 'rate', 'quarantine', 'allow_list', 'verdict', 'shaping'] as const;

export interface Part {
  /** `passed`, or a reason. */
  name: string;
  count: Count;
  /** Of the packets seen, 0 to 1. */
  share: number;
}

export interface Balance {
  seen: Count;
  parts: Part[];
  dropped: Count;
  /** Packets that were on their way while it was read: seen less the parts. */
  open: number;
}

/** What becomes of what came in; reasons that dropped nothing are left out, unknown ones are not. */
export function balanceOf(totals: GatewayTotals): Balance {
  const names = [...REASONS, ...Object.keys(totals.dropped).filter((name) => !(REASONS as readonly string[]).includes(name))];
  const seen = totals.seen.packets;
  const part = (name: string, count: Count): Part => ({ name, count, share: seen === 0 ? 0 : count.packets / seen });
  const drops = names.flatMap((name) => {
    const count = totals.dropped[name];
    return count && count.packets > 0 ? [part(name, count)] : [];
  });
  const dropped = drops.reduce((sum, one) => ({ packets: sum.packets + one.count.packets, bytes: sum.bytes + one.count.bytes }), { packets: 0, bytes: 0 });
  return { seen: totals.seen, parts: [part('passed', totals.passed), ...drops], dropped, open: seen - totals.passed.packets - dropped.packets };
}

/** Devices that lost most first, then those that sent most. */
export function busiest(lines: DeviceCounts[]): DeviceCounts[] {
  return [...lines].sort((a, b) => b.dropped_packets - a.dropped_packets || b.forwarded_packets - a.forwarded_packets || a.mac.localeCompare(b.mac));
}
