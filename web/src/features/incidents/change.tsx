import { NativeSelect, Textarea } from '@mantine/core';
import { useState } from 'react';
import { post } from '@/api/client';
import type { Incident, IncidentState } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed } from '@/parts/page';
import { t, word } from '@/strings/t';
import { Button } from '@/parts/button';

const ROOTS = ['incidents', 'ledger'];
const MAX_TEXT = 4000;

/** A change of state always has a reason. */
export function ChangeState({ incident, allowed }: { incident: Incident; allowed: IncidentState[] }) {
  const may = useMay('incidents.write');
  const [state, setState] = useState<string>('');
  const [reason, setReason] = useState('');
  const act = useAct((body: { state: string; reason: string }) => post(`/incidents/${incident.id}/state`, body), ROOTS, () => {
    setState('');
    setReason('');
  });
  if (!may || allowed.length === 0) return null;
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate({ state, reason: reason.trim() });
      }}
    >
      <NativeSelect
        label={t('incident.change')}
        data-key="e"
        value={state}
        onChange={(event) => setState(event.currentTarget.value)}
        data={[{ value: '', label: t('incident.change_keep', { state: word('incident.state', incident.state) }) }, ...allowed.map((one) => ({ value: one, label: word('incident.state', one) }))]}
      />
      {state !== '' && (
        <>
          <Textarea required autosize minRows={2} maxLength={MAX_TEXT} label={t('incident.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <div><Button type="submit" busy={act.isPending} disabled={reason.trim() === ''}>{t('incident.change_save')}</Button></div>
        </>
      )}
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}

export function AddNote({ incident }: { incident: Incident }) {
  const may = useMay('incidents.write');
  const [text, setText] = useState('');
  const act = useAct((note: string) => post(`/incidents/${incident.id}/notes`, { text: note }), ROOTS, () => setText(''));
  if (!may) return null;
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim() !== '') act.mutate(text.trim());
      }}
    >
      <Textarea autosize minRows={1} maxLength={MAX_TEXT} label={t('incident.note')} placeholder={t('incident.note_hint')} value={text} onChange={(event) => setText(event.currentTarget.value)} />
      {text.trim() !== '' && <div><Button type="submit" plain busy={act.isPending}>{t('incident.note_add')}</Button></div>}
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
