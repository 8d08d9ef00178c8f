import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { putJson } from '@/api/client';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed } from '@/parts/page';
import { t } from '@/strings/pages';
import { seconds } from './words';

/** Tells when an infection really happened, once that is known: it teaches how old a checkpoint must be. */
export function Learn({ incident }: { incident: string }) {
  const [when, setWhen] = useState('');
  const act = useAct(() => putJson<{ delay_s: number }>(`/recovery/delays/${encodeURIComponent(incident)}`, { infected_at: new Date(when).toISOString() }), ['recovery', 'ledger']);
  return (
    <details>
      <summary className="small">{t('recovery.learn')}</summary>
      <form
        className="fields"
        style={{ paddingTop: 8 }}
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <TextInput type="datetime-local" step={1} required label={t('recovery.infected_at')} description={t('recovery.infected_why')} value={when} onChange={(event) => setWhen(event.currentTarget.value)} />
        <Button type="submit" small disabled={when === ''} busy={act.isPending}>{t('recovery.learn_go')}</Button>
      </form>
      {act.data && <p className="small" role="status">{t('recovery.learned', { time: seconds(act.data.delay_s) })}</p>}
      {act.isError && <Failed error={act.error} />}
    </details>
  );
}
