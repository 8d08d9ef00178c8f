// A new feed: a file of one form, or a server that is asked.
import { NativeSelect, NumberInput, PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { post } from '@/api/client';
import type { Feed } from '@/api/types';
import { useMay } from '@/app/session';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed, Panel } from '@/parts/page';
import { t, word } from '@/strings/pages';
import { EMPTY, FORMS, SCHEMES, TLPS, asked, request, type Draft } from './draft';

export function NewFeed() {
  const may = useMay('feeds.write');
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const act = useAct(() => post<Feed>('/feeds', request(draft)), ['feeds'], () => setDraft(EMPTY));
  if (!may) return null;
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const line = (field: 'kinds' | 'collections' | 'types' | 'tags' | 'orgs' | 'since' | 'value', hint: string) => (
    <TextInput key={field} label={t(`feeds.field.${field}`)} description={hint} w={260} value={draft[field]} onChange={(event) => set({ [field]: event.currentTarget.value })} />
  );
  return (
    <Panel title={t('feeds.new')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          act.mutate();
        }}
      >
        <div className="row" style={{ alignItems: 'flex-end', flexWrap: 'wrap' }}>
          <TextInput label={t('feeds.col.name')} required maxLength={120} w={220} value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} />
          <NativeSelect label={t('feeds.field.form')} data={FORMS.map((form) => ({ value: form, label: word('feeds.form', form) }))} value={draft.form} onChange={(event) => set({ form: event.currentTarget.value as Draft['form'] })} />
          <TextInput label={t('feeds.field.url')} type="url" required={asked(draft.form)} w={360} value={draft.url} onChange={(event) => set({ url: event.currentTarget.value })} />
        </div>
        <div className="row" style={{ alignItems: 'flex-end', flexWrap: 'wrap' }}>
          {!asked(draft.form) && draft.form !== 'kev' && line('kinds', t('feeds.hint.kinds'))}
          {(draft.form === 'csv' || draft.form === 'json') && line('value', t('feeds.hint.value'))}
          {draft.form === 'taxii' && [line('collections', t('feeds.hint.collections')), line('types', t('feeds.hint.types'))]}
          {(draft.form === 'misp-feed' || draft.form === 'misp-server') && [line('tags', t('feeds.hint.tags')), line('orgs', t('feeds.hint.orgs'))]}
          {asked(draft.form) && draft.form !== 'misp-feed' && line('since', t('feeds.hint.since'))}
        </div>
        <div className="row" style={{ alignItems: 'flex-end', flexWrap: 'wrap' }}>
          {asked(draft.form) && <NativeSelect label={t('feeds.field.auth')} data={SCHEMES.map((scheme) => ({ value: scheme, label: word('feeds.auth', scheme) }))} value={draft.scheme} onChange={(event) => set({ scheme: event.currentTarget.value as Draft['scheme'] })} />}
          {asked(draft.form) && draft.scheme === 'basic' && <TextInput label={t('feeds.field.user')} required w={180} value={draft.user} onChange={(event) => set({ user: event.currentTarget.value })} />}
          {asked(draft.form) && draft.scheme !== 'none' && <PasswordInput label={t('feeds.field.secret')} required autoComplete="off" w={260} value={draft.secret} onChange={(event) => set({ secret: event.currentTarget.value })} />}
          <NativeSelect label={t('know.col.tlp')} data={TLPS.map((tlp) => ({ value: tlp, label: `TLP:${tlp.toUpperCase()}` }))} value={draft.tlp} onChange={(event) => set({ tlp: event.currentTarget.value })} />
          <NumberInput label={t('feeds.field.every')} min={1} max={43200} w={140} value={draft.every} onChange={(value) => set({ every: Number(value) || 60 })} />
          <Button type="submit" plain busy={act.isPending}>{t('feeds.add')}</Button>
        </div>
        {act.isError && <Failed error={act.error} />}
      </form>
    </Panel>
  );
}
