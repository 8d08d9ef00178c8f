// What the picture of the watch shows, before anything is drawn.
import type { DeviceCounters } from '@/api/types';
import { count, percent } from '@/parts/format';
import { t, tn, word } from '@/strings/t';
import { progressOf } from './headline';
import type { SituationData } from './use-situation';

export interface DiagramNode {
  key: string;
  column: number;
  row: number;
  name: string;
  what: string;
  tone: 'plain' | 'good' | 'alert' | 'off';
}

export interface DiagramLink {
  key: string;
  from: string;
  to: string;
  text: string;
  more?: string;
  both?: boolean;
  tone: 'flow' | 'cut' | 'off' | 'good' | 'wait';
}

export type DiagramInput = Pick<SituationData, 'info' | 'gateway' | 'watched' | 'open' | 'incident' | 'finding' | 'share' | 'order'> & {
  counters: Record<string, DeviceCounters>;
};

/** The counters of the first watched device that has any. */
export function countersOf(input: DiagramInput): DeviceCounters | null {
  const mac = input.finding?.device_mac ?? input.order?.target.mac;
  return (mac ? input.counters[mac] : undefined) ?? Object.values(input.counters)[0] ?? null;
}

export function blocked(input: DiagramInput): boolean {
  const counters = countersOf(input);
  if (counters) return counters.blocked;
  const { order } = input;
  if (order?.verb !== 'block' || order.outcome?.outcome !== 'done') return false;
  if (order.lifted_at) return false;
  return order.lifts_at === null || Date.parse(order.lifts_at) > Date.now();
}

export function nodes(input: DiagramInput): DiagramNode[] {
  const device = input.watched[0];
  const list: DiagramNode[] = [
    {
      key: 'device', column: 0, row: 0,
      name: device?.name ?? t('diagram.no_device'),
      what: deviceWords(input),
      tone: !device || device.state.state === 'unprotected' ? 'off' : input.open.length > 0 ? 'alert' : 'plain',
    },
    {
      key: 'gateway', column: 1, row: 0,
      name: input.gateway?.name ?? t('diagram.no_gateway'),
      what: gatewayWords(input),
      tone: !input.gateway?.connected ? 'off' : 'good',
    },
    { key: 'outside', column: 2, row: 0, name: t('diagram.outside'), what: outsideWords(input), tone: 'plain' },
    { key: 'node', column: 1, row: 1, name: input.info.node.name, what: word('node.kind', input.info.node.kind), tone: 'good' },
  ];
  if (input.share) list.push({ key: 'peer', column: 2, row: 1, name: input.share.peer_name, what: t('diagram.peer'), tone: 'plain' });
  else list.push({ key: 'peer', column: 2, row: 1, name: t('diagram.peers'), what: t('diagram.peers_none'), tone: 'off' });
  return list;
}

function deviceWords(input: DiagramInput): string {
  const device = input.watched[0];
  if (!device) return t('diagram.device_none');
  if (device.state.state === 'learning' || device.state.state === 'training') {
    return `${word('watch.state', device.state.state)} ${percent(progressOf(device))}`;
  }
  return word('watch.state', device.state.state);
}

function gatewayWords(input: DiagramInput): string {
  if (!input.gateway) return t('diagram.gateway_none');
  if (!input.gateway.connected) return t('diagram.gateway_away');
  if (input.gateway.not_enforcing !== null) return t('diagram.gateway_watching');
  return t(blocked(input) ? 'diagram.gateway_blocking' : 'diagram.gateway_forwarding');
}

function outsideWords(input: DiagramInput): string {
  const parties = input.finding?.evidence.length ?? 0;
  return parties > 0 ? tn('diagram.parties', parties) : t('diagram.outside_quiet');
}

export function links(input: DiagramInput): DiagramLink[] {
  const counters = countersOf(input);
  const cut = blocked(input);
  const connected = input.gateway?.connected === true;
  const flow: DiagramLink['tone'] = connected ? 'flow' : 'off';
  const outside: DiagramLink = { key: 'out', from: 'gateway', to: 'outside', text: '', both: !cut, tone: cut ? 'cut' : flow };
  if (counters) {
    outside.text = cut ? t('diagram.dropped', { n: count(counters.dropped_packets) }) : t('diagram.forwarded', { n: count(counters.forwarded_packets) });
    if (cut) outside.more = t('diagram.forwarded', { n: count(counters.forwarded_packets) });
  }
  const list: DiagramLink[] = [
    { key: 'in', from: 'device', to: 'gateway', text: t('diagram.segment'), both: true, tone: flow },
    outside,
    { key: 'up', from: 'gateway', to: 'node', text: connected ? t('diagram.windows') : t('diagram.silent'), tone: connected ? 'flow' : 'off' },
  ];
  if (input.share) {
    const done = input.share.state === 'acknowledged';
    const failed = input.share.state === 'denied' || input.share.state === 'refused';
    list.push({
      key: 'share', from: 'node', to: 'peer', both: done,
      text: t(failed ? 'diagram.share_not' : 'diagram.share'),
      more: word('share.state', input.share.state),
      tone: done ? 'good' : failed ? 'off' : 'wait',
    });
  } else {
    list.push({ key: 'share', from: 'node', to: 'peer', text: t('diagram.share_none'), tone: 'off' });
  }
  return list;
}
