import { TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { post } from '@/api/client';
import type { ObjectShare, Preview } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { count } from '@/parts/format';
import { Banner, Failed, Panel } from '@/parts/page';
import { t, tn } from '@/strings/pages';

/** Shares what the preview shows, with whom it shows; the node judges once more when each object leaves. */
export function ShareNow({ it }: { it: Preview }) {
  const [note, setNote] = useState('');
  const getting = it.recipients.filter((one) => one.allowed > 0);
  const objects = it.objects.filter((object) => object.goes.some(Boolean)).map((object) => object.id);
  const communities = [...new Set(getting.flatMap((one) => (one.community ? [one.community] : [])))];
  const peers = getting.filter((one) => !one.community).flatMap((one) => (one.peer ? [one.peer] : []));
  const act = useAct(() => post<ObjectShare>('/federation/shares', { objects, to: { peers, communities }, note: note.trim() }), ['federation']);
  return (
    <Panel title={t('preview.share')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <p>{t('preview.share_what', { objects: tn('preview.objects', objects.length), recipients: count(getting.length) })}</p>
        <div className="row" style={{ alignItems: 'flex-end' }}>
          <TextInput label={t('preview.note')} maxLength={1000} w={360} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
          <Button type="submit" disabled={objects.length === 0 || act.isSuccess} busy={act.isPending}>{t('preview.share_go')}</Button>
        </div>
        {act.isError && <Failed error={act.error} />}
        {act.data && <Banner tone="good" icon="check">{t('preview.shared')} <Link to="/exchange/$id" params={{ id: act.data.id }}>{t('preview.follow')}</Link></Banner>}
      </form>
    </Panel>
  );
}
