import { Textarea } from '@mantine/core';
import { useState } from 'react';
import { post } from '@/api/client';
import type { Incident } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Failed } from '@/parts/page';
import { t } from '@/strings/t';
import { Button } from '@/parts/button';

/** "We have it": marks the incident as seen by a person and, when it was shared with us, answers the sender. */
export function Acknowledge({ incident }: { incident: Incident }) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const act = useAct((answer: string) => post(`/incidents/${incident.id}/acknowledge`, { text: answer }), ['incidents', 'shares', 'ledger'], () => setOpen(false));
  const may = useMay('incidents.acknowledge');
  const received = incident.received_share !== null;
  if (!may) return null;
  if (!open) {
    return (
      <div>
        <Button data-key="a" onClick={() => setOpen(true)}>{t('incident.acknowledge')}</Button>
      </div>
    );
  }
  return (
    <form
      className="stack tight"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate(text.trim() || t('incident.acknowledge_default'));
      }}
    >
      <Textarea
        autoFocus
        autosize
        minRows={2}
        maxLength={2000}
        label={received ? t('incident.answer_to', { name: incident.origin_name }) : t('incident.answer')}
        placeholder={t('incident.acknowledge_default')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div className="row">
        <Button type="submit" busy={act.isPending}>{t(received ? 'incident.acknowledge_send' : 'incident.acknowledge')}</Button>
        <Button plain onClick={() => setOpen(false)}>{t('page.cancel')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}
