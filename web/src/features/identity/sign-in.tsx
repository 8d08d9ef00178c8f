import { PasswordInput, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { post } from '@/api/client';
import type { NodeInfo } from '@/api/types';
import { useAct } from '@/parts/act';
import { Lantern } from '@/parts/icon';
import { Failed } from '@/parts/page';
import { t, word } from '@/strings/pages';
import '@/app/frame.css';
import { Button } from '@/parts/button';

export default function SignIn({ info }: { info: NodeInfo }) {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const act = useAct(() => post('/sign-in', { name: name.trim(), password }), ['node', 'me']);
  useEffect(() => {
    document.title = t('sign_in.tab');
  }, []);
  return (
    <main className="door-page">
      <section className="panel">
        <form
          className="body stack wide"
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate();
          }}
        >
          <div>
            <div style={{ width: 34, marginBottom: 10 }}><Lantern /></div>
            <h1>{t('sign_in.title', { name: info.node.name })}</h1>
            <p className="soft small">{word('node.kind', info.node.kind)} · {t('frame.version', { version: info.node.version })}</p>
          </div>
          <TextInput label={t('sign_in.name')} name="username" autoComplete="username" required autoFocus value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <PasswordInput label={t('sign_in.password')} name="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          {act.isError && <Failed error={act.error} />}
          <Button type="submit" busy={act.isPending} wide>{t('sign_in.do')}</Button>
        </form>
      </section>
    </main>
  );
}
