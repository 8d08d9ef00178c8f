// The session has ended under the page. The page stays as it is, with all that was typed; whoever signs in again goes on.
import { Modal, PasswordInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useState } from 'react';
import { get, post } from '@/api/client';
import { session, useSession } from '@/api/session';
import type { NodeInfo } from '@/api/types';
import { useAct } from '@/parts/act';
import { Button } from '@/parts/button';
import { Failed } from '@/parts/page';
import { t } from '@/strings/pages';

/** Whoever signs in another way does so in another tab; this one looks whether it has happened. */
const LOOK_MS = 3_000;

export default function Again() {
  const { person, other } = useSession();
  const [name, setName] = useState(person ?? '');
  const [password, setPassword] = useState('');
  const client = useQueryClient();
  const look = useCallback(async () => {
    const user = (await get<NodeInfo>('/node')).signed_in?.user;
    if (user === undefined) return;
    session.answer(user === session.read().person ? 'same' : 'other', user);
    await client.invalidateQueries();
  }, [client]);
  const act = useAct(async () => { await post('/sign-in', { name: name.trim(), password }); await look(); }, []);
  useEffect(() => {
    const timer = window.setInterval(() => void look().catch(() => undefined), LOOK_MS);
    return () => window.clearInterval(timer);
  }, [look]);
  const leave = () => { session.leave(); void client.invalidateQueries({ queryKey: ['node'] }); };
  if (other) return null;
  return (
    <Modal opened onClose={leave} title={t('again.title')} closeOnClickOutside={false} closeButtonProps={{ 'aria-label': t('again.leave') }} transitionProps={{ duration: 0 }} zIndex={500}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); act.mutate(); }}>
        <p>{t('again.lead')}</p>
        <TextInput label={t('sign_in.name')} name="username" autoComplete="username" required value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <PasswordInput data-autofocus label={t('sign_in.password')} name="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
        {act.isError && <Failed error={act.error} />}
        <div className="row apart">
          <a href="/sign-in" target="_blank" rel="noreferrer">{t('again.otherwise')}</a>
          <Button type="submit" busy={act.isPending}>{t('again.do')}</Button>
        </div>
      </form>
    </Modal>
  );
}
