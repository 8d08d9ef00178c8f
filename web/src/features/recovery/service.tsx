import { NativeSelect, NumberInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import { reads } from '@/api/queries';
import type { Checkpoint, ProtectedService, RecoveryOrder } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { bytes } from '@/parts/format';
import { Banner, Empty, Failed, Panel } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { DataTable, type Column } from '@/parts/table';
import { PlainTag } from '@/parts/tags';
import { localText, Wall } from '@/parts/time';
import { t, word } from '@/strings/pages';
import { chosenFor, keptAs, seconds } from './words';
import './recovery.css';

const LOOKS = { good: ['good', 'check'], suspect: ['critical', 'triangle'], evidence: ['medium', 'diamond'] } as const;
const NONE = ['refuse', 'oldest', 'clean'] as const;

function Kept({ one }: { one: Checkpoint }) {
  const kept = keptAs(one);
  return <PlainTag tone={LOOKS[kept][0]} shape={LOOKS[kept][1]}>{word('recovery.kept', kept)}</PlainTag>;
}

const columns: Column<Checkpoint>[] = [
  { id: 'counter', head: t('recovery.col.number'), cell: (row) => row.counter, sort: (row) => row.counter },
  { id: 'taken', head: t('recovery.col.taken'), cell: (row) => <Wall at={row.taken_at} />, sort: (row) => row.taken_at },
  { id: 'kept', head: t('recovery.col.kept'), cell: (row) => <Kept one={row} />, sort: (row) => keptAs(row) },
  { id: 'bytes', head: t('recovery.col.size'), cell: (row) => bytes(row.bytes), sort: (row) => row.bytes, right: true },
  { id: 'new', head: t('recovery.col.added'), cell: (row) => bytes(row.new_bytes), sort: (row) => row.new_bytes, right: true },
  { id: 'frozen', head: t('recovery.col.frozen'), cell: (row) => seconds(row.frozen_s), sort: (row) => row.frozen_s, right: true },
];

interface ServiceProps {
  agent: string;
  service: ProtectedService;
  onClose: () => void;
  onOrdered: (key: string) => void;
}

/** One service: its checkpoints, and a restart from before an infection. */
export function ServicePanel({ agent, service, onClose, onOrdered }: ServiceProps) {
  const may = useMay('recovery.order');
  return (
    <Panel id="service" title={t('recovery.service', { name: service.service })} end={<Button small plain onClick={onClose}>{t('recovery.close')}</Button>} flush>
      {service.checkpoints.length === 0 ? <Empty title={t('recovery.kept_none')}>{t('recovery.kept_none_why')}</Empty> : <DataTable rows={service.checkpoints.toReversed()} columns={columns} caption={t('recovery.checkpoints_of', { name: service.service })} rowKey={(row) => String(row.counter)} />}
      {may && <div style={{ padding: 16, borderTop: '1px solid var(--line)' }}><Restore agent={agent} service={service} onOrdered={onOrdered} /></div>}
    </Panel>
  );
}

function Restore({ agent, service, onOrdered }: Omit<ServiceProps, 'onClose'>) {
  const incidents = useQuery(reads.incidents('open'));
  const [incident, setIncident] = useState('');
  const [before, setBefore] = useState('');
  const [margin, setMargin] = useState<number | string>(600);
  const [whenNone, setWhenNone] = useState<string>('refuse');
  const evidence = before === '' ? null : new Date(before);
  const order = useAct(
    (verb: 'restore_before' | 'restart') =>
      post<RecoveryOrder>('/recovery/orders', verb === 'restart' ? { verb, agent, service: service.service, incident: incident || null } : { verb, agent, service: service.service, incident: incident || null, evidence_at: evidence?.toISOString() ?? null, margin_s: Number(margin), when_none: whenNone }),
    ['recovery', 'ledger'],
    (made) => onOrdered(made.key),
  );
  // A question that was answered is asked anew: a second press must not restart the service once more.
  const given = order.data?.key ?? '';
  const chosen = evidence && chosenFor(service, evidence.getTime(), Number(margin));
  return (
    <div className="stack">
      <h3>{t('recovery.restore')}</h3>
      <p className="small soft">{t('recovery.restore_lead')}</p>
      <div className="fields">
        <NativeSelect label={t('recovery.incident')} data={[{ value: '', label: t('recovery.incident_none') }, ...(incidents.data?.items ?? []).map((one) => ({ value: one.id, label: one.title }))]} value={incident} onChange={(event) => setIncident(event.currentTarget.value)} maw={320} />
        <TextInput type="datetime-local" step={1} label={t('recovery.before')} value={before} onChange={(event) => setBefore(event.currentTarget.value)} />
        <NumberInput label={t('recovery.margin')} min={0} max={31_536_000} w={160} value={margin} onChange={setMargin} />
        <NativeSelect label={t('recovery.when_none')} data={NONE.map((one) => ({ value: one, label: word('recovery.none', one) }))} value={whenNone} onChange={(event) => setWhenNone(event.currentTarget.value)} />
      </div>
      {evidence && <p className="small">{chosen ? t('recovery.would', { n: chosen.counter, at: localText(chosen.taken_at) }) : t('recovery.would_none')}</p>}
      {incident !== '' && !evidence && <p className="small soft">{t('recovery.would_incident')}</p>}
      {whenNone === 'oldest' && <Banner tone="medium" icon="info">{t('recovery.oldest_risk')}</Banner>}
      <div className="row">
        {incident === '' && !evidence ? <span className="small quiet">{t('recovery.missing')}</span> : <Sure key={given} text={t('recovery.restore_go')} sure={t('recovery.restore_sure')} of={service.service} busy={order.isPending} onSure={() => order.mutate('restore_before')} />}
        <Sure key={`again ${given}`} text={t('recovery.restart')} sure={t('recovery.restart_sure')} of={service.service} busy={order.isPending} onSure={() => order.mutate('restart')} />
      </div>
      {order.isError && <Failed error={order.error} />}
    </div>
  );
}
