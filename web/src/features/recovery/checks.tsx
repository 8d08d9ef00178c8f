import { NativeSelect, NumberInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { HealthCheck, HealthSpec } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Empty, Failed, Loaded, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';
import { complete, EMPTY, KINDS, specOf, type CheckDraft } from './check-draft';
import './recovery.css';

function specText(spec: HealthSpec): string {
  if (spec.kind === 'tcp') return t('recovery.check_tcp', { address: spec.address });
  if (spec.kind === 'modbus') return t('recovery.check_modbus', { address: spec.address, register: spec.register, min: spec.min, max: spec.max });
  const status = spec.status ? t('recovery.check_status', { n: spec.status }) : t('recovery.check_any');
  return t('recovery.check_http', { url: spec.url, status }) + (spec.contains ? ` ${t('recovery.check_holds', { text: spec.contains })}` : '');
}

/** How it is seen that a device is well; only such devices are released by themselves. */
export function HealthChecks() {
  const checks = useQuery(reads.healthChecks());
  const devices = useQuery(reads.devices());
  const may = useMay('recovery.write');
  const away = useAct((id: string) => remove(`/recovery/checks/${encodeURIComponent(id)}`), ['recovery', 'ledger']);
  const nameOf = (target: string) => devices.data?.find((one) => one.mac === target || one.addresses.includes(target))?.name;
  const columns: Column<HealthCheck>[] = [
    { id: 'device', head: t('recovery.col.device'), cell: (row) => <>{nameOf(row.target) ?? ''}<span className="mono small quiet" style={{ display: 'block' }}>{row.target}</span></>, sort: (row) => nameOf(row.target) ?? row.target },
    { id: 'check', head: t('recovery.col.check'), cell: (row) => <span className="wrap">{specText(row.check)}</span>, sort: (row) => row.check.kind },
    { id: 'by', head: t('recovery.col.by'), cell: (row) => <>{row.created_by}<span className="small quiet" style={{ display: 'block' }}><Wall at={row.recorded_at} relative /></span></>, sort: (row) => row.recorded_at },
    ...(may ? [{ id: 'acts', head: '', cell: (row: HealthCheck) => <Sure small text={t('recovery.check_remove')} sure={t('recovery.check_remove_sure')} of={specText(row.check)} busy={away.isPending} onSure={() => away.mutate(row.id)} /> }] : []),
  ];
  return (
    <Panel title={t('recovery.checks')} flush>
      {away.isError && <div style={{ padding: 12 }}><Failed error={away.error} /></div>}
      <Loaded query={checks}>
        {(list) => (list.length === 0 ? <Empty title={t('recovery.checks_none')}>{t('recovery.checks_none_why')}</Empty> : <DataTable rows={list} columns={columns} caption={t('recovery.checks')} rowKey={(row) => row.id} />)}
      </Loaded>
      {may && <div style={{ padding: 16, borderTop: '1px solid var(--line)' }}><Add /></div>}
    </Panel>
  );
}

function Add() {
  const [draft, setDraft] = useState<CheckDraft>(EMPTY);
  const devices = useQuery(reads.devices());
  const act = useAct(() => post('/recovery/checks', { target: draft.target.trim(), check: specOf(draft) }), ['recovery', 'ledger'], () => setDraft(EMPTY));
  const set = (change: Partial<CheckDraft>) => setDraft((before) => ({ ...before, ...change }));
  const known = (devices.data ?? []).flatMap((one) => {
    const name = one.mac ?? one.addresses[0];
    return name ? [{ value: name, label: one.name }] : [];
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <h3>{t('recovery.check_new')}</h3>
      <div className="fields">
        <NativeSelect label={t('recovery.col.device')} data={[{ value: '', label: t('gw.device_typed') }, ...known]} value={known.some((one) => one.value === draft.target) ? draft.target : ''} onChange={(event) => set({ target: event.currentTarget.value })} />
        <TextInput label={t('gw.list_device')} required w={200} spellCheck={false} value={draft.target} onChange={(event) => set({ target: event.currentTarget.value })} />
        <NativeSelect label={t('recovery.check_kind')} data={KINDS.map((kind) => ({ value: kind, label: word('recovery.kind', kind) }))} value={draft.kind} onChange={(event) => set({ kind: event.currentTarget.value as CheckDraft['kind'] })} />
        {draft.kind === 'http' ? (
          <>
            <TextInput label={t('recovery.check_url')} type="url" required w={280} value={draft.url} onChange={(event) => set({ url: event.currentTarget.value })} />
            <NumberInput label={t('recovery.check_status_field')} min={100} max={599} w={150} value={draft.status} onChange={(value) => set({ status: String(value) })} />
            <TextInput label={t('recovery.check_contains')} w={200} value={draft.contains} onChange={(event) => set({ contains: event.currentTarget.value })} />
          </>
        ) : (
          <TextInput label={t('recovery.check_address')} required w={200} spellCheck={false} placeholder="10.0.0.9:502" value={draft.address} onChange={(event) => set({ address: event.currentTarget.value })} />
        )}
        {draft.kind === 'modbus' && (
          <>
            <NumberInput label={t('recovery.check_unit')} min={0} max={255} w={90} value={draft.unit} onChange={(value) => set({ unit: String(value) })} />
            <NumberInput label={t('recovery.check_register')} required min={0} max={65535} w={110} value={draft.register} onChange={(value) => set({ register: String(value) })} />
            <NumberInput label={t('recovery.check_min')} required min={0} max={65535} w={110} value={draft.min} onChange={(value) => set({ min: String(value) })} />
            <NumberInput label={t('recovery.check_max')} required min={0} max={65535} w={110} value={draft.max} onChange={(value) => set({ max: String(value) })} />
          </>
        )}
        <Button type="submit" small disabled={!complete(draft)} busy={act.isPending}>{t('recovery.check_add')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
