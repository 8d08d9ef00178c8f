// Traffic in words: networks, protocols by name, ports.
import type { AllowEntry, Flow } from '@/api/types';
import { t } from '@/strings/pages';

/** IP protocol numbers (IANA) that people know by name. */
const PROTOCOLS: Record<number, string> = { 1: 'ICMP', 2: 'IGMP', 6: 'TCP', 17: 'UDP', 47: 'GRE', 50: 'ESP', 58: 'ICMPv6', 132: 'SCTP' };

export const protocolName = (number: number | null): string => (number === null ? t('gw.any_protocol') : (PROTOCOLS[number] ?? t('gw.protocol_n', { n: number })));

/** "TCP 443", "UDP", "any protocol"; ports of the device are said as such. */
export function serviceText({ protocol, port, local_port }: Pick<AllowEntry, 'protocol' | 'port' | 'local_port'>): string {
  const base = `${protocolName(protocol)}${port === null ? '' : ` ${port}`}`;
  return local_port === null ? base : t('gw.own_port', { base, port: local_port });
}

/** "only TCP 502 with 10.0.0.9, from the device". */
export function flowText(flow: Flow | null): string | null {
  if (!flow) return null;
  const service = serviceText({ protocol: flow.protocol, port: flow.remote_port, local_port: flow.local_port });
  const whom = flow.remote === null ? t('gw.flow', { service }) : t('gw.flow_with', { service, remote: flow.remote });
  return flow.direction === null ? whom : `${whom}, ${t(flow.direction === 'out' ? 'gw.flow_out' : 'gw.flow_in')}`;
}
