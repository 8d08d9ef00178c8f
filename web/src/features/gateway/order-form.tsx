import { NativeSelect, NumberInput, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { GatewayDetail } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Check } from '@/parts/check';
import { Banner, Failed, Panel } from '@/parts/page';
import { Segments } from '@/parts/segments';
import { t, word } from '@/strings/pages';
import { bodyOf, EMPTY, missing, VERBS, type OrderDraft } from './order-draft';
import './gateway.css';

const TIMES = ['600', '3600', '28800', '86400'];
const PROTOCOLS = [['', 'gw.any_protocol'], ['6', 'TCP'], ['17', 'UDP'], ['1', 'ICMP'], ['58', 'ICMPv6']] as const;
const MAX_WHY = 400;

type Setter = (change: Partial<OrderDraft>) => void;

/** An order by hand, every verb, for a device or some of its traffic. Asked once more before it goes. */
export function OrderForm({ gateway }: { gateway: GatewayDetail }) {
  const [draft, setDraft] = useState(EMPTY);
  const [sure, setSure] = useState(false);
  const devices = useQuery(reads.devices());
  const act = useAct(() => post(`/gateways/${encodeURIComponent(gateway.name)}/orders`, bodyOf(draft)), ['orders', 'gateways', 'ledger'], () => {
    setDraft(EMPTY);
    setSure(false);
  });
  const set: Setter = (change) => {
    setSure(false);
    setDraft((before) => ({ ...before, ...change }));
  };
  const lack = missing(draft);
  const known = (devices.data ?? []).flatMap((one) => {
    const names = [...(one.mac ? [one.mac] : []), ...one.addresses];
    return names.length === 0 ? [] : [{ value: names.join(', '), label: one.name }];
  });
  const named = known.find((one) => one.value === draft.target)?.label ?? draft.target;
  return (
    <Panel title={t('gw.order')} id="order">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (sure) act.mutate();
          else setSure(true);
        }}
      >
        <Segments label={t('gw.verb_label')} value={draft.verb} options={VERBS.map((verb) => [verb, word('gw.verb', verb)] as const)} onChange={(verb) => set({ verb })} />
        <p className="small soft">{word('gw.verb_lead', draft.verb)}</p>
        <div className="fields">
          <NativeSelect label={t('gw.device')} data={[{ value: '', label: t('gw.device_typed') }, ...known]} value={known.some((one) => one.value === draft.target) ? draft.target : ''} onChange={(event) => set({ target: event.currentTarget.value })} />
          <TextInput label={t('gw.target')} required w={320} maxLength={400} spellCheck={false} value={draft.target} placeholder="02:00:00:00:00:01, 10.0.0.9" onChange={(event) => set({ target: event.currentTarget.value })} />
          {draft.verb !== 'release' && <NativeSelect label={t('gw.for')} data={TIMES.map((seconds) => ({ value: seconds, label: word('gw.time', seconds) }))} value={draft.seconds} onChange={(event) => set({ seconds: event.currentTarget.value })} />}
        </div>
        <OfVerb draft={draft} set={set} />
        <Check checked={draft.flow} onChange={(flow) => set({ flow })}>{t('gw.only_flow')}</Check>
        {draft.flow && <FlowFields draft={draft} set={set} />}
        <Textarea label={t('gw.why')} description={t('gw.why_lead')} rows={2} maxLength={MAX_WHY} value={draft.why} onChange={(event) => set({ why: event.currentTarget.value })} />
        {gateway.policy.mode !== 'enforce' && <Banner tone="medium" icon="info">{t('gw.order_mode', { mode: word('gw.mode', gateway.policy.mode) })}</Banner>}
        {sure && <Banner tone="medium" icon="info">{t('gw.order_sure', { verb: word('gw.verb', draft.verb), target: named, gateway: gateway.name })}</Banner>}
        <div className="row">
          <Button type="submit" busy={act.isPending} disabled={lack !== null}>{t(sure ? 'gw.order_yes' : 'gw.order_give')}</Button>
          {sure && <Button plain onClick={() => setSure(false)}>{t('gw.back')}</Button>}
          {lack && <span className="small quiet">{word('gw.missing', lack)}</span>}
        </div>
        {act.isError && <Failed error={act.error} />}
        {act.isSuccess && <p role="status" className="small">{t('gw.order_given')}</p>}
      </form>
    </Panel>
  );
}

function OfVerb({ draft, set }: { draft: OrderDraft; set: Setter }) {
  if (draft.verb === 'rate_limit') {
    return (
      <div className="fields">
        <NumberInput label={t('gw.packets_s')} min={1} w={180} value={draft.packets} onChange={(value) => set({ packets: String(value) })} />
        <NumberInput label={t('gw.bytes_s')} min={1} w={180} value={draft.bytes} onChange={(value) => set({ bytes: String(value) })} />
      </div>
    );
  }
  if (draft.verb === 'quarantine') return <TextInput label={t('gw.to_networks')} description={t('gw.to_networks_lead')} w={420} spellCheck={false} value={draft.to} placeholder="10.0.0.53, 10.1.0.0/16" onChange={(event) => set({ to: event.currentTarget.value })} />;
  if (draft.verb !== 'redirect') return null;
  return (
    <div className="fields">
      <TextInput label={t('gw.to_address')} required w={220} spellCheck={false} value={draft.to} placeholder="10.0.9.9" onChange={(event) => set({ to: event.currentTarget.value })} />
      <NumberInput label={t('gw.to_port')} min={1} max={65535} w={140} value={draft.toPort} onChange={(value) => set({ toPort: String(value) })} />
      <TextInput label={t('gw.to_mac')} w={220} spellCheck={false} value={draft.toMac} onChange={(event) => set({ toMac: event.currentTarget.value })} />
      <p className="small soft">{t('gw.redirect_bridge')}</p>
    </div>
  );
}

function FlowFields({ draft, set }: { draft: OrderDraft; set: Setter }) {
  return (
    <div className="fields">
      <TextInput label={t('gw.remote')} w={220} spellCheck={false} value={draft.remote} placeholder="198.51.100.0/24" onChange={(event) => set({ remote: event.currentTarget.value })} />
      <NativeSelect label={t('gw.protocol')} data={PROTOCOLS.map(([value, label]) => ({ value, label: value === '' ? t('gw.any_protocol') : label }))} value={draft.protocol} onChange={(event) => set({ protocol: event.currentTarget.value })} />
      <NumberInput label={t('gw.remote_port')} min={1} max={65535} w={140} value={draft.port} onChange={(value) => set({ port: String(value) })} />
      <NativeSelect label={t('gw.direction')} data={[{ value: '', label: t('gw.both') }, { value: 'out', label: t('gw.flow_out') }, { value: 'in', label: t('gw.flow_in') }]} value={draft.direction} onChange={(event) => set({ direction: event.currentTarget.value as OrderDraft['direction'] })} />
    </div>
  );
}
