// A new push, and what may change of one that is there. A secret is typed and never comes back.
import { NativeSelect, NumberInput, PasswordInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { patch, post, remove } from '@/api/client';
import { reads } from '@/api/queries';
import type { Push } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed } from '@/parts/page';
import { Sure } from '@/parts/sure';
import { t, word } from '@/strings/pages';
import { SCHEMES, TLPS } from './draft';
import { EMPTY, WHATS, request, type PushDraft } from './push-draft';

const tlps = TLPS.map((tlp) => ({ value: tlp, label: `TLP:${tlp.toUpperCase()}` }));
/** Who a push may go to. */
function useRecipients() {
  const organisations = useQuery(reads.organisations());
  const others = (organisations.data ?? []).filter((one) => !one.own);
  return [{ value: '', label: t('feeds.push.for_nobody') }, ...others.map((one) => ({ value: one.id, label: one.name }))];
}

const row = { alignItems: 'flex-end', flexWrap: 'wrap' } as const;

export function NewPush() {
  const [draft, setDraft] = useState<PushDraft>(EMPTY);
  const collections = useQuery(reads.collections());
  const act = useAct(() => post<Push>('/pushes', request(draft)), ['pushes'], () => setDraft(EMPTY));
  const set = (change: Partial<PushDraft>) => setDraft((before) => ({ ...before, ...change }));
  const recipients = useRecipients();
  const own = (collections.data ?? []).map((one) => ({ value: `${one.root}/${one.id}`, label: `${one.root}: ${one.title}` }));
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      <h3>{t('feeds.push.new')}</h3>
      <div className="row" style={row}>
        <TextInput label={t('feeds.push.called')} required maxLength={120} w={220} value={draft.name} onChange={(event) => set({ name: event.currentTarget.value })} />
        <NativeSelect label={t('feeds.push.what')} data={WHATS.map((what) => ({ value: what, label: word('feeds.push.what', what) }))} value={draft.what} onChange={(event) => set({ what: event.currentTarget.value as PushDraft['what'], scheme: event.currentTarget.value === 'events' ? 'key' : draft.scheme })} />
        {draft.what === 'known' && <TextInput label={t('feeds.push.types')} description={t('feeds.hint.types')} w={240} value={draft.types} onChange={(event) => set({ types: event.currentTarget.value })} />}
        {draft.what === 'collection' && <NativeSelect label={t('feeds.push.collection')} required data={[{ value: '', label: t('feeds.push.choose') }, ...own]} value={draft.collection} onChange={(event) => set({ collection: event.currentTarget.value })} />}
        <TextInput label={t(draft.what === 'events' ? 'feeds.push.misp' : 'feeds.push.taxii')} type="url" required w={360} value={draft.url} onChange={(event) => set({ url: event.currentTarget.value })} />
      </div>
      <div className="row" style={row}>
        <NativeSelect label={t('feeds.field.auth')} data={SCHEMES.map((scheme) => ({ value: scheme, label: word('feeds.auth', scheme) }))} value={draft.scheme} onChange={(event) => set({ scheme: event.currentTarget.value as PushDraft['scheme'] })} />
        {draft.scheme === 'basic' && <TextInput label={t('feeds.field.user')} required w={180} value={draft.user} onChange={(event) => set({ user: event.currentTarget.value })} />}
        {draft.scheme !== 'none' && <PasswordInput label={t('feeds.field.secret')} required autoComplete="off" w={260} value={draft.secret} onChange={(event) => set({ secret: event.currentTarget.value })} />}
        <NativeSelect label={t('feeds.push.for')} data={recipients} value={draft.for} onChange={(event) => set({ for: event.currentTarget.value })} />
        <NativeSelect label={t('feeds.push.highest')} data={tlps} value={draft.highest} onChange={(event) => set({ highest: event.currentTarget.value })} />
        <NumberInput label={t('feeds.field.every')} min={1} max={43200} w={140} value={draft.every} onChange={(value) => set({ every: Number(value) || 60 })} />
        <Button type="submit" plain busy={act.isPending} disabled={draft.what === 'collection' && draft.collection === ''}>{t('feeds.push.add')}</Button>
      </div>
      {act.isError && <Failed error={act.error} />}
    </form>
  );
}

/** Label, pause, secret and recipient may change; another address or origin is another push. */
export function ChangePush({ push, onClose }: { push: Push; onClose: () => void }) {
  const before = push.highest.replace('TLP:', '').toLowerCase();
  const [highest, setHighest] = useState(before);
  const [every, setEvery] = useState(push.every_minutes);
  const [secret, setSecret] = useState('');
  const recipients = useRecipients();
  const now = recipients.find((one) => one.label === push.for)?.value ?? '';
  const [recipient, setRecipient] = useState<string>();
  const save = useAct(() => patch(`/pushes/${push.id}`, { highest, every_minutes: every, ...(secret === '' ? {} : { secret }), ...(recipient && recipient !== now ? { for: recipient } : {}) }), ['pushes'], onClose);
  const gone = useAct(() => remove(`/pushes/${push.id}`), ['pushes'], onClose);
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <h3>{t('feeds.push.change_of', { name: push.name })}</h3>
      <div className="row" style={row}>
        <NativeSelect label={t('feeds.push.highest')} data={tlps} value={highest} onChange={(event) => setHighest(event.currentTarget.value)} description={highest === before ? undefined : t('feeds.push.from_now')} />
        <NativeSelect label={t('feeds.push.for')} data={now === '' ? recipients : recipients.filter((one) => one.value !== '')} value={recipient ?? now} onChange={(event) => setRecipient(event.currentTarget.value)} description={recipient && recipient !== now ? t('feeds.push.begins_again') : undefined} />
        <NumberInput label={t('feeds.field.every')} min={1} max={43200} w={140} value={every} onChange={(value) => setEvery(Number(value) || 60)} />
        {push.auth.scheme !== 'none' && <PasswordInput label={t('feeds.push.new_secret')} description={t('feeds.push.secret_stays')} autoComplete="off" w={280} value={secret} onChange={(event) => setSecret(event.currentTarget.value)} />}
        <Button type="submit" plain busy={save.isPending}>{t('feeds.push.save')}</Button>
        <Button plain onClick={onClose}>{t('feeds.push.leave')}</Button>
        <Sure text={t('feeds.push.remove')} of={push.name} sure={t('feeds.push.remove_sure')} busy={gone.isPending} onSure={() => gone.mutate()} />
      </div>
      {save.isError && <Failed error={save.error} />}
      {gone.isError && <Failed error={gone.error} />}
    </form>
  );
}
