import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { post } from '@/api/client';
import type { SightingKept } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed, Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';

const TYPES = ['sighting', 'false-positive', 'expiration'] as const;

/** A person says of an object that it was seen, was none, or has ended. */
export function Sight({ id }: { id: string }) {
  const [where, setWhere] = useState('');
  const [comment, setComment] = useState('');
  const act = useAct(
    (type: string) => post<SightingKept>(`/knowledge/objects/${encodeURIComponent(id)}/sightings`, { type, where: where || null, comment: comment || null }),
    ['knowledge'],
    () => {
      setWhere('');
      setComment('');
    },
  );
  return (
    <Panel title={t('sight.title')}>
      <p className="small quiet">{t('sight.lead')}</p>
      <div className="query-bar">
        <TextInput label={t('sight.where')} value={where} maxLength={500} onChange={(event) => setWhere(event.currentTarget.value)} />
        <TextInput label={t('sight.why')} value={comment} maxLength={500} onChange={(event) => setComment(event.currentTarget.value)} />
        {TYPES.map((type) => <Button key={type} plain={type !== 'sighting'} disabled={act.isPending} onClick={() => act.mutate(type)}>{word('sight.type', type)}</Button>)}
      </div>
      {act.isError && <Failed error={act.error} />}
      {act.data && <p role="status">{act.data.score_now === null ? t('sight.kept_plain') : t('sight.kept', { score: Math.round(act.data.score_now) })}</p>}
    </Panel>
  );
}
