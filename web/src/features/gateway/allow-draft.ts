// Changes of an allow list: entries by hand, the state that is kept, meanings for a maker's file.
import type { AllowEntry, AllowList } from '@/api/types';

const PROTOCOLS: Record<string, number> = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 };

/** `10.0.0.9`, `10.0.0.0/8,tcp,502`; null when it is none. */
export function entryOf(text: string): AllowEntry | null {
  const [peer = '', protocol = '', port = '', more] = text.split(',').map((part) => part.trim());
  if (peer === '' || more !== undefined) return null;
  const number = protocol === '' ? null : (PROTOCOLS[protocol.toLowerCase()] ?? Number(protocol));
  const service = port === '' ? null : Number(port);
  const whole = (value: number | null, most: number) => value === null || (Number.isInteger(value) && value >= 0 && value <= most);
  if (!whole(number, 255) || !whole(service, 65_535) || (service !== null && number === null)) return null;
  return { peer, protocol: number, port: service, local_port: null };
}

export const bare = ({ peer, protocol, port, local_port }: AllowEntry): AllowEntry => ({ peer, protocol, port, local_port });

/** The state as it is, so that a change of entries does not change it: a list that learns stops when it would have. */
export function keeping(list: Pick<AllowList, 'state' | 'learn_until'> | undefined, now: number): { state: string; learn_s?: number } {
  if (!list) return { state: 'off' };
  if (list.state !== 'learning' || list.learn_until === null) return { state: list.state };
  return { state: 'learning', learn_s: Math.max(1, Math.round((Date.parse(list.learn_until) - now) / 1000)) };
}

/** `test.example.com=192.0.2.7, 192.0.2.8`, one name a line. */
export function namesOf(text: string): Record<string, string[]> {
  const lines = text.split('\n').map((line) => line.split('='));
  return Object.fromEntries(lines.flatMap(([name = '', values]) => (name.trim() === '' || values === undefined ? [] : [[name.trim(), values.split(/[\s,]+/).filter(Boolean)]])));
}
